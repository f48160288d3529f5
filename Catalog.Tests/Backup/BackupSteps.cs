using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;
using Catalog.Tests.Support;

namespace Catalog.Tests.Backup;

/// <summary>Steps that the backup tests share.</summary>
internal static class BackupSteps
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Posts one pipeline, 30 runs and 30 check results to the service.</summary>
    public static async Task Fill(TestDatabase database)
    {
        using var app = new CatalogApp(database);
        using var client = app.Client();
        await client.PostJson(
            "/api/v1/pipelines/",
            new { name = "load", description = "Zeilen \u00fcber\tTab, \\. und \"Anf\u00fchrung\"\nCOPY x FROM stdin;\n\\." });
        for (var i = 0; i < 30; i++)
        {
            using var run = await client.PostJson(
                "/api/v1/runs/", new { id = $"run-{i}", pipeline_id = "load", status = "completed", records_processed = i });
            using var result = await client.PostJson(
                "/api/v1/checks/results", new
                {
                    id = $"result-{i}",
                    pipeline_id = "load",
                    check_id = "rows",
                    run_id = $"run-{i}",
                    status = i % 7 == 1 ? "fail" : "pass",
                    message = new string('x', 200 + i) + '\n'
                });
            Assert.True(run.IsSuccessStatusCode && result.IsSuccessStatusCode, await result.Content.ReadAsStringAsync(Ct));
        }
    }

    /// <summary>Hashes every value of every row, independent of the order of rows.</summary>
    public static async Task<string> Hash(string address, params string[] without)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        var contents = await DatabaseContents.Read(database, Ct);
        await using var connection = await database.Reads.OpenConnectionAsync(Ct);
        var lines = new List<string>();
        foreach (var table in contents.Rows.Keys.Except(without))
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"select * from {table}";
            await using var reader = await command.ExecuteReaderAsync(Ct);
            while (await reader.ReadAsync(Ct))
            {
                lines.Add($"{table} {string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => reader.GetValue(column) switch { byte[] bytes => Convert.ToHexString(bytes), DateTime time => time.ToString("O"), var value => value.ToString() }))}");
            }
        }

        Assert.NotEmpty(lines);
        return $"{lines.Count} rows, {contents.Fingerprint}, "
            + $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines.Order(StringComparer.Ordinal)))))}";
    }

    /// <summary>Backs up a database.</summary>
    /// <returns>The path of the backup file.</returns>
    public static async Task<string> BackUp(string address, string folder, params string[] arguments)
    {
        var result = await MigratorConsole.Run(address, ["backup", "--output", folder, "--json", .. arguments]);
        Assert.True(result.Exit == 0, result.ToString());
        return result.Json.GetProperty("path").GetString()!;
    }

    public static Manifest Describe(string path) => Manifest.Read(File.ReadAllBytes(path + ".json"), Path.GetFileName(path));

    /// <summary>Writes a copy of a backup with this content and a changed manifest.</summary>
    /// <returns>The path of the copy.</returns>
    public static string Copy(string path, string folder, byte[] content, Func<Manifest, Manifest>? change = null, string? name = null)
    {
        Directory.CreateDirectory(folder);
        var copy = Path.Combine(folder, name ?? Path.GetFileName(path));
        File.WriteAllBytes(copy, content);
        var manifest = Describe(path) with { File = Path.GetFileName(copy) };
        File.WriteAllBytes(copy + ".json", (change?.Invoke(manifest) ?? manifest).Write());
        return copy;
    }

    /// <summary>The names of all files in a folder, in ordinal order; empty if the folder does not exist.</summary>
    public static string[] Names(string folder) => Directory.Exists(folder)
        ? [.. Directory.GetFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)] : [];

    public static string Code(this ConsoleResult result) => result.Json.GetProperty("error").GetProperty("code").GetString()!;

    public static JsonElement[] Backups(this ConsoleResult result) => [.. result.Json.GetProperty("backups").EnumerateArray()];
}

/// <summary>A folder for one test class.</summary>
public sealed class BackupFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("catalog-backups-").FullName;

    /// <summary>A folder in it that does not exist yet.</summary>
    public string New() => System.IO.Path.Combine(Path, Guid.NewGuid().ToString("N")[..8]);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>A filled database of each engine.</summary>
public sealed class FilledDatabases : IAsyncLifetime
{
    public PostgresTestDatabase Postgres { get; } = new();

    public SqliteTestDatabase Sqlite { get; } = new();

    public async ValueTask InitializeAsync()
    {
        await Postgres.InitializeAsync();
        await Sqlite.InitializeAsync();
        await BackupSteps.Fill(Sqlite);
        if (PostgresServer.Shared.Unavailable is null)
        {
            await BackupSteps.Fill(Postgres);
        }
    }

    public TestDatabase Of(string engine) => engine == "sqlite" ? Sqlite.Require() : Postgres.Require();

    public async ValueTask DisposeAsync()
    {
        await Postgres.DisposeAsync();
        await Sqlite.DisposeAsync();
    }
}
