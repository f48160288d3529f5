using Catalog.Data.Database;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Catalog.Tests.Support;

/// <summary>
/// A SQLite file and an empty Postgres database, both at head. Tests transfer rows from the file to the database.
/// </summary>
public sealed class TransferPair : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-transfer-").FullName;

    private TransferPair(string target) => Target = target;

    /// <summary>The path of the SQLite file.</summary>
    public string Source => Path.Combine(_directory, "catalog.db");

    /// <summary>The address of the Postgres database.</summary>
    public string Target { get; }

    /// <summary>Creates both databases.</summary>
    /// <param name="scripts">A folder of scripts. Null: the built-in scripts.</param>
    public static async Task<TransferPair> Make(string? scripts = null)
    {
        var pair = new TransferPair(scripts is null
            ? await PostgresTestDatabase.AtHead("catalog_transfer") : await PostgresTestDatabase.Empty("catalog_transfer"));
        if (scripts is null)
        {
            await SqliteTestDatabase.AtHead(pair.Source);
            return pair;
        }

        foreach (var address in new[] { pair.Source, pair.Target })
        {
            var result = await MigratorConsole.Run(address, "upgrade", "--scripts", scripts);
            Assert.True(result.Exit == 0, result.ToString());
        }

        return pair;
    }

    /// <summary>Runs the console's verb <c>transfer</c>.</summary>
    public Task<ConsoleResult> Transfer(params string[] arguments) =>
        MigratorConsole.Run(Target, ["transfer", "--from", Source, .. arguments]);

    /// <summary>Changes the source without checking its constraints and foreign keys.</summary>
    public void Change(string sql, object? parameters = null)
    {
        using var connection = OpenSource();
        connection.Execute("pragma ignore_check_constraints=on; pragma foreign_keys=off");
        connection.Execute(sql, parameters);
    }

    public SqliteConnection OpenSource()
    {
        var connection = new SqliteConnection($"Data Source={Source};Pooling=False;Default Timeout=30");
        connection.Open();
        return connection;
    }

    public async Task<NpgsqlConnection> OpenTarget()
    {
        var settings = PostgresUri.Parse("target", Target);
        settings.Pooling = false;
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    /// <summary>The number of rows of each table in the target, without empty tables and the journal.</summary>
    public async Task<IReadOnlyDictionary<string, long>> Counts()
    {
        await using var connection = await OpenTarget();
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in (
            await connection.QueryAsync<string>("select relname from pg_class where relnamespace = 'public'::regnamespace and "
                + "relkind in ('r', 'p') and relname not in ('schemaversions', 'schema_history')")).ToList())
        {
            if (await connection.ExecuteScalarAsync<long>($"select count(*) from \"{table}\"") is > 0 and var count)
            {
                counts[table] = count;
            }
        }

        return counts;
    }

    /// <summary>Adds check results to the source. Their ids are not in the order of the rows.</summary>
    public void AddResults(int count) => Change($"""
        insert into check_results
        with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
        select 'default', printf('%08x-%d', i * 2654435761 % 4294967296, i), 'pipeline-' || (i % 50), 'check-' || (i % 7), case when i % 3 = 0 then 'run-' || (i / 20) end,
               case i % 40 when 0 then 'fail' else 'pass' end, 'error', 'mart.orders', printf('%08X-1111-4222-8333-0000000000%02X', i % 50, i % 50), cast(i as text), i / 7.0, null, i % 5, i,
               case when i % 11 = 0 then 'Grüße 🚀 ' || hex(randomblob(200)) end, strftime('%Y-%m-%dT%H:%M:%S', 1767225600 + i, 'unixepoch') || printf('.%06dZ', i % 1000000), i / 1000.0, null, randomblob(32), '2026-01-01T00:00:00.000000Z'
        from n
        """);

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
