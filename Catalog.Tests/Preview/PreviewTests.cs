using System.Diagnostics;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;

namespace Catalog.Tests.Preview;

/// <summary>
/// The SQL that <c>sql</c> prints has the same effect as <c>upgrade</c>, and printing changes nothing.
/// </summary>
public sealed class PreviewTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-preview-").FullName;
    private readonly TestChain _scripts = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_preview_in_psql_creates_the_same_schema_as_an_upgrade()
    {
        server.Require();
        foreach (var scripts in new[] { null, _scripts })
        {
            string[] from = scripts is null ? [] : ["--scripts", scripts.Path];
            var (upgraded, previewed) = (await PostgresTestDatabase.Empty("catalog_upgraded"), await PostgresTestDatabase.Empty(
                "catalog_previewed"));
            Assert.Equal(0, (await MigratorConsole.Run(upgraded, ["upgrade", .. from])).Exit);
            var sql = await MigratorConsole.Run(previewed, ["sql", .. from]);
            Assert.Equal(3, (await MigratorConsole.Run(previewed, ["current", .. from])).Exit);

            Assert.Equal("", await Psql(previewed, sql.Output));

            Assert.Equal(await Describe(upgraded), await Describe(previewed));
            Assert.Equal(0, (await MigratorConsole.Run(previewed, ["current", .. from])).Exit);
            Assert.Equal(await Checksums(upgraded, scripts), await Checksums(previewed, scripts));
            Assert.Contains("Nothing to do", (await MigratorConsole.Run(previewed, ["sql", .. from])).Output);
            // A second run of the SQL stops without changes. The downgrade SQL reverts everything.
            Assert.Contains("nothing was applied", await Psql(previewed, sql.Output));
            Assert.Equal(await Describe(upgraded), await Describe(previewed));
            Assert.Equal("", await Psql(previewed, (await MigratorConsole.Run(previewed, ["sql", "head:base", .. from])).Output));
            Assert.Empty(await Describe(previewed));
        }
    }

    [Fact]
    public async Task The_preview_on_SQLite_creates_the_same_schema_as_an_upgrade()
    {
        foreach (var scripts in new[] { null, _scripts })
        {
            string[] from = scripts is null ? [] : ["--scripts", scripts.Path];
            var (upgraded, previewed) = (
                Path.Combine(_directory, $"{Guid.NewGuid():N}.db"), Path.Combine(_directory, $"{Guid.NewGuid():N}.db"));
            Assert.Equal(0, (await MigratorConsole.Run(upgraded, ["upgrade", .. from])).Exit);
            var sql = await MigratorConsole.Run(previewed, ["sql", .. from]);
            Assert.False(File.Exists(previewed));

            await Execute(previewed, sql.Output);

            Assert.Equal(await Describe(upgraded), await Describe(previewed));
            Assert.Equal(await Checksums(upgraded, scripts), await Checksums(previewed, scripts));
        }
    }

    [Fact]
    public async Task A_read_only_role_gets_the_preview_and_nothing_changes()
    {
        server.Require();
        var address = await PostgresTestDatabase.Empty("catalog_previewed", superuser: true);
        await MigratorConsole.Run(address, "upgrade", "1", "--scripts", _scripts.Path);
        var role = $"catalog_reader_{Guid.NewGuid():N}";
        await PostgresTestDatabase.Execute($"create role {role} login password 'reader'");
        try
        {
            await Execute(address, $"grant select on schemaversions, schema_history to {role}");
            await PostgresTestDatabase.Execute($"alter role {role} set default_transaction_read_only = on");
            var reader = new UriBuilder(address) { UserName = role, Password = "reader" }.Uri.ToString();
            var before = await Dump(address) + string.Concat(await Checksums(address, _scripts));
            // A running migration holds its lock, but does not block a preview.
            await using var busy = MigrationDatabase.Open(TestDatabase.Read(address));
            await using var connection = await busy.Source.OpenConnectionAsync(Ct);
            await using var held = await busy.Dialect.Lock(connection, TimeSpan.Zero, _ => { }, Ct);
            Assert.NotNull(held);

            foreach (var arguments in new string[][] { ["sql"], ["sql", "--json"], ["sql", "base:head"], ["sql", "head:base", "--json"],
                ["current"], ["history", "--all"], ["verify"] })
            {
                var result = await MigratorConsole.Run(reader, [.. arguments, "--scripts", _scripts.Path]);
                Assert.True(result.Exit is 0 or 3 or 4 && result.Errors.Length == 0, result.ToString());
            }

            Assert.Equal(before, await Dump(address) + string.Concat(await Checksums(address, _scripts)));
        }
        finally
        {
            await Execute(address, $"drop owned by {role}");
            await PostgresTestDatabase.Execute($"drop role {role}");
        }
    }

    [Fact]
    public async Task A_range_needs_no_database_and_an_invalid_range_is_refused()
    {
        const string Nowhere = "postgresql://nobody@127.0.0.1:1/nothing";
        var result = await MigratorConsole.Run(Nowhere, "sql", "base:head");
        Assert.Equal(0, result.Exit);
        Assert.Contains("create table pipelines", result.Output);
        Assert.Equal(7, (await MigratorConsole.Run(Nowhere, "sql")).Exit);
        foreach (var range in new[] { "head", "base:", ":head", "base:0099", "a:b:c" })
        {
            var refused = await MigratorConsole.Run(Nowhere, "sql", range, "--json");
            Assert.Equal((2, "unknown_target"), (refused.Exit, refused.Json.GetProperty("error").GetProperty("code").GetString()));
        }
    }

    private static async Task<string> Psql(string address, string sql)
    {
        using var process = Process.Start(new ProcessStartInfo("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", address])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true
        })!;
        var errors = process.StandardError.ReadToEndAsync(Ct);
        var output = process.StandardOutput.ReadToEndAsync(Ct);
        try
        {
            await process.StandardInput.WriteAsync(sql);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // psql stops at an error before it reads the rest.
        }

        await process.WaitForExitAsync(Ct);
        return await errors + await output;
    }

    private static async Task<string> Dump(string address)
    {
        using var process = Process.Start(new ProcessStartInfo("pg_dump", ["-s", "-d", address]) { RedirectStandardOutput = true })!;
        var dump = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        Assert.True(process.ExitCode == 0 && dump.Length > 1000);
        // Newer pg_dump versions write \restrict lines with a random word.
        return string.Join('\n', dump.Split('\n').Where(line => !line.Contains("restrict", StringComparison.Ordinal)));
    }

    private static async Task<IReadOnlyList<string>> Describe(string address)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        return await new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System).Describe(Ct);
    }

    private static async Task<string[]> Checksums(string address, TestChain? scripts)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        var chain = scripts is null ? Chain.BuiltIn(database.Dialect.Folder) : Chain.From(scripts.Path, database.Dialect.Folder);
        return [.. (await new Migrator(database, chain, TimeProvider.System).ReadStatus(Ct))
            .Applied.Select(row => $"{row.ScriptName} {row.Checksum}")];
    }

    private static async Task Execute(string address, string sql)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await database.Dialect.Execute(connection, null, sql, Ct);
    }

    public void Dispose()
    {
        _scripts.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
