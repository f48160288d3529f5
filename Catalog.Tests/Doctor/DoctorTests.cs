using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Doctor;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Doctor;

[Trait("Category", "Fast")]
public sealed class DoctorOnSqlite : DoctorTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-doctor-").FullName;

    [Fact]
    public async Task The_report_describes_the_file()
    {
        var address = await EmptyDatabase();
        await TestDatabase.Migrate(address);

        var report = await Examine(address);

        Assert.DoesNotContain(report.Findings, finding => finding.Severity != Severity.Note);
        Assert.Equal((address, "wal", new FileInfo(address).Length), (report.File!.Path, report.File.JournalMode, report.File.Bytes));
        Assert.Contains(report.Tables, table => table is { Name: "runs", LiveRows: 0, Bytes: null });
    }

    [Fact]
    public async Task A_missing_file_is_reported_and_not_created()
    {
        var address = await EmptyDatabase();

        Assert.Equal("file_missing", Assert.Single((await Examine(address)).Findings, finding => finding.Severity == Severity.Warning)
            .Code);
        Assert.False(File.Exists(address));
    }

    [Fact]
    public async Task A_damaged_database_and_a_file_of_another_format_are_distinguished()
    {
        var address = await EmptyDatabase();
        await TestDatabase.Migrate(address);
        Assert.False(File.Exists($"{address}-wal") && new FileInfo($"{address}-wal").Length > 0);
        await using (var file = File.OpenWrite(address))
        {
            // The last page belongs to an index.
            file.Position = file.Length - 4096;
            await file.WriteAsync(Enumerable.Repeat((byte)0xa5, 4096).ToArray(), Ct);
        }

        Assert.Contains((await Examine(address)).Findings, finding => finding is { Code: "file_damaged", Severity: Severity.Error });

        await File.WriteAllTextAsync(address, new string('x', 8192), Ct);
        var otherFile = await Examine(address);
        Assert.False(otherFile.Reached);
        Assert.Equal("not_a_database", Assert.Single(otherFile.Findings).Code);
    }

    [Fact]
    public async Task A_journal_mode_other_than_the_services_is_reported()
    {
        var address = await EmptyDatabase();
        await TestDatabase.Migrate(address);
        await Execute(address, "pragma journal_mode=delete");

        Assert.Contains((await Examine(address)).Findings, finding => finding.Code == "journal_mode");
    }

    [Theory]
    [InlineData("nfs4", true)]
    [InlineData("cifs", true)]
    [InlineData("ext4", false)]
    [InlineData("overlay", false)]
    public void A_network_file_system_is_recognized_by_its_name(string name, bool network) =>
        Assert.Equal(network, SqliteDoctor.IsNetwork(name));

    [Fact]
    public async Task The_console_prints_the_report_as_text_and_as_JSON()
    {
        var address = await EmptyDatabase();
        await TestDatabase.Migrate(address);

        var text = await MigratorConsole.Run(address, "doctor");
        Assert.Equal((0, ""), (text.Exit, text.Errors));
        Assert.Contains("0 errors, 0 warnings.", text.Output);
        Assert.DoesNotContain('\u001b', text.Output);

        var json = await MigratorConsole.Run(address, "doctor", "--json");
        Assert.Equal(address, json.Json.GetProperty("file").GetProperty("path").GetString());
        Assert.Equal(0, json.Json.GetProperty("findings").GetArrayLength());
        Assert.All(new[] { "slowest_statements", "active_statements", "indexes" }, name =>
            Assert.Equal(0, json.Json.GetProperty(name).GetArrayLength()));
        Assert.Equal("runs", Assert.Single(json.Json.GetProperty("tables").EnumerateArray(), table =>
            table.GetProperty("name").GetString() == "runs").GetProperty("name").GetString());
    }

    protected override Task<string> EmptyDatabase() => Task.FromResult(Path.Combine(_directory, $"{Guid.NewGuid():N}.db"));
}

public sealed class DoctorOnPostgres : DoctorTests, IClassFixture<PostgresTestDatabase>
{
    public DoctorOnPostgres(PostgresTestDatabase database) => database.Require();

    protected override Task<string> EmptyDatabase() => PostgresTestDatabase.Empty("catalog_empty");
}

/// <summary>The doctor's findings about a schema, on both engines.</summary>
public abstract class DoctorTests
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract Task<string> EmptyDatabase();

    [Fact]
    public async Task A_schema_behind_head_is_reported_until_it_is_upgraded()
    {
        var address = await EmptyDatabase();
        Assert.Contains("0001_initial", Code("schema_behind", await Examine(address)).Message);

        await TestDatabase.Migrate(address);
        Assert.DoesNotContain((await Examine(address)).Findings, finding => finding.Severity == Severity.Error);
    }

    [Fact]
    public async Task Tables_of_the_Catalog_without_a_journal_are_reported_with_the_stamp_command()
    {
        var address = await EmptyDatabase();
        await TestDatabase.Migrate(address);
        await Execute(address, "drop table schemaversions", "drop table schema_history");

        var finding = Code("tables_without_journal", await Examine(address));

        Assert.Contains("check_results", finding.Message);
        Assert.Contains("catalog-migrations stamp ", finding.Action);
        Assert.DoesNotContain((await Examine(address)).Findings, other => other.Code is "schema_behind" or "table_already_exists");
    }

    [Fact]
    public async Task Tables_of_other_programs_and_a_table_with_the_name_of_a_pending_one_are_distinguished()
    {
        var address = await EmptyDatabase();
        await Execute(address, "create table invoices (id integer)");
        Assert.Contains("invoices", Code("other_tables", await Examine(address)).Message);

        await StampBase(address);
        await Execute(address, "create table runs (id integer)");
        Assert.Contains("runs already exists", Code("table_already_exists", await Examine(address)).Message);
    }

    [Fact]
    public async Task Unknown_revisions_and_changed_checksums_are_reported_with_an_action()
    {
        var address = await EmptyDatabase();
        await TestDatabase.Migrate(address);
        await Execute(address, "insert into schemaversions (scriptname, applied) values ('9999_future.sql', '2026-01-01')",
            "update schemaversions set checksum = 'other' where scriptname like '0001%'");

        var report = await Examine(address);

        Assert.StartsWith("Use the build", Code("newer_schema", report).Action);
        Assert.Contains("0001_initial.sql was changed", Code("checksum_mismatch", report).Message);
    }

    [Fact]
    public async Task A_half_applied_script_is_reported()
    {
        var address = await EmptyDatabase();
        await TestDatabase.Migrate(address);
        var directory = Directory.CreateTempSubdirectory("catalog-scripts-");
        foreach (var engine in new[] { "postgres", "sqlite" })
        {
            var folder = directory.CreateSubdirectory(engine).FullName;
            File.Copy(Path.Combine(ConventionTests.Root, "sql", engine, "0001_initial.sql"), Path.Combine(folder, "0001_initial.sql"));
            foreach (var name in Chain.BuiltIn(engine).Scripts.Skip(1).Select(script => script.Name))
            {
                File.Copy(Path.Combine(ConventionTests.Root, "sql", engine, name), Path.Combine(folder, name));
            }

            var next = Chain.BuiltIn(engine).Scripts.Count + 1;
            await File.WriteAllTextAsync(Path.Combine(folder, $"{next:0000}_index.sql"),
                "-- transaction: none\ncreate index concurrently other_idx on runs (id);\n", Ct);
        }

        var script = Chain.From(directory.FullName, "postgres").Scripts[^1];
        Assert.False(script.Up.Transactional);
        await Execute(
            address, $"insert into schema_history (scriptname, direction, outcome, at) values ('{script.Name}', 'upgrade', "
                + "'started', '2026-01-01T00:00:00.000000Z')");

        Assert.Contains("catalog-migrations upgrade", Code("half_applied", await Examine(address, scripts: directory.FullName)).Action);
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Two_addresses_of_different_databases_are_reported()
    {
        var (migrated, served) = (await EmptyDatabase(), await EmptyDatabase());
        await TestDatabase.Migrate(migrated);
        await TestDatabase.Migrate(served);

        Assert.Contains("DATAXPIPE_MIGRATIONS_DB", Code("addresses_differ", await Examine(migrated, served)).Message);
        Assert.DoesNotContain((await Examine(migrated, migrated)).Findings, finding => finding.Code == "addresses_differ");
    }

    internal static Finding Code(string code, DoctorReport report) => Assert.Single(report.Findings, finding => finding.Code == code);

    /// <summary>Runs the doctor as the verb does.</summary>
    /// <param name="migrator">DATAXPIPE_MIGRATIONS_DB.</param>
    /// <param name="service">DATAXPIPE_DB. Null: the migrator's address.</param>
    /// <param name="role">DATAXPIPE_APP_ROLE.</param>
    /// <param name="limits">The thresholds of the findings. Null: the default ones.</param>
    /// <param name="scripts">A directory of scripts. Null: the built-in scripts.</param>
    /// <param name="settings">Further settings of the service.</param>
    internal static async Task<DoctorReport> Examine(
        string migrator, string? service = null, string role = "catalog_app", DoctorThresholds? limits = null, string? scripts = null,
        params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["DATAXPIPE_DB"] = service ?? migrator,
            ["DATAXPIPE_MIGRATIONS_DB"] = service is null ? null : migrator,
        }).AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
        await using var database = MigrationDatabase.Open(DatabaseSettings.ReadForMigrations(configuration));
        var chain = scripts is null ? Chain.BuiltIn(database.Dialect.Folder) : Chain.From(scripts, database.Dialect.Folder);
        return await new DatabaseDoctor(database, chain, limits).Examine(DatabaseSettings.Read(configuration), role, Ct);
    }

    protected static async Task Execute(string address, params string[] statements)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        foreach (var sql in statements)
        {
            await connection.ExecuteAsync(sql);
        }
    }

    private static async Task StampBase(string address)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System).Stamp(Chain.Base, force: false, Ct);
    }
}
