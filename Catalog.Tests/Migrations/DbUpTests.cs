using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;
using DbUp;
using DbUp.Builder;
using DbUp.Engine;

namespace Catalog.Tests.Migrations;

public sealed class DbUpOnSqlite : DbUpTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-dbup-").FullName;

    protected override string Engine => "sqlite";

    protected override Task<string> EmptyDatabase() => Task.FromResult(Path.Combine(_directory, $"{Guid.NewGuid():N}.db"));

    protected override UpgradeEngineBuilder Stock(string address) =>
        DeployChanges.To.SqliteDatabase($"Data Source={address};Pooling=false").JournalToSqliteTable("schemaversions");

    // The preprocessor of dbup-sqlite would replace the type name by 'text'.
    [Fact]
    public async Task A_text_with_a_type_name_of_another_engine_is_stored_as_written()
    {
        var address = await EmptyDatabase();
        Scripts.Change("0002_currency.sql", sql => sql + "insert into customers (id, email) values (9, 'nvarchar(max)');\n");
        await Upgrade(address, "2", Scripts);

        Assert.Equal("nvarchar(max)", await Scalar<string>(address, "select email from customers where id = 9"));
    }
}

public sealed class DbUpOnPostgres : DbUpTests, IClassFixture<PostgresTestDatabase>
{
    public DbUpOnPostgres(PostgresTestDatabase database) => database.Require();

    protected override string Engine => "postgres";

    protected override Task<string> EmptyDatabase() => PostgresTestDatabase.Empty("catalog_dbup");

    protected override UpgradeEngineBuilder Stock(string address)
    {
        var settings = PostgresUri.Parse("address", address);
        settings.Pooling = false;
        return DeployChanges.To.PostgresqlDatabase(settings.ConnectionString, "public")
            .JournalToPostgresqlTable("public", "schemaversions");
    }

    // Stock DbUp splits the body at its semicolons.
    [Fact]
    public async Task The_body_of_a_standard_SQL_function_is_not_split()
    {
        var address = await EmptyDatabase();
        Scripts.Change("0002_currency.sql", sql =>
            sql + "create function two() returns integer language sql begin atomic select 1; select 2; end;\n");
        await Upgrade(address, "2", Scripts);

        Assert.Equal(2, await Scalar<int>(address, "select two()"));
    }

    // A reused upgrade engine would remember a journal that was rolled back.
    [Fact]
    public async Task The_first_script_is_retried_after_a_lock_time_out()
    {
        var address = await EmptyDatabase();
        await Execute(address, "create table others (id integer)");
        await With(address, Scripts, migrator => migrator.Stamp("base", force: false, Ct));
        Scripts.Change("0001_shop.sql", sql => "alter table others add column x integer;\n" + sql);
        await using var other = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await other.Source.OpenConnectionAsync(Ct);
        var holding = await connection.BeginTransactionAsync(Ct);
        await connection.ExecuteAsync("select * from others");

        var tried = new TaskCompletionSource();
        var limits = new MigrationLimits { LockTimeout = TimeSpan.FromMilliseconds(100) };
        var upgrade = With(address, Scripts, migrator => migrator.Upgrade("1", again: false, Ct), limits, step =>
        {
            if (step.Description.Contains("attempt 2", StringComparison.Ordinal))
            {
                tried.SetResult();
            }
        });
        await tried.Task.WaitAsync(TimeSpan.FromSeconds(20), Ct);
        await holding.RollbackAsync(Ct);

        Assert.Single(await upgrade);
    }

    // If DbUp used its own connection, the script would commit after the lock is released for another migrator.
    [Fact]
    public async Task A_script_ends_with_the_session_that_holds_the_lock()
    {
        const string EndHolder = """
            select count(pg_terminate_backend(l.pid))::int
            from pg_locks l
            join pg_stat_activity s on s.datname = current_database() and s.wait_event = 'PgSleep'
            where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
            """;
        var address = await EmptyDatabase();
        Scripts.Change("0002_currency.sql", sql => sql + "select pg_sleep(2);\n");
        var upgrade = Upgrade(address, "2", Scripts);
        for (var until = Environment.TickCount64 + 20_000; await Scalar<int>(address, EndHolder) == 0;)
        {
            Assert.True(Environment.TickCount64 < until, "The script never slept.");
            await Task.Delay(50, Ct);
        }

        Assert.Equal(MigrationFault.ConnectionLost, (await Assert.ThrowsAsync<MigrationException>(() => upgrade)).Fault);
        await Task.Delay(3000, Ct);
        Assert.Equal("0001_shop", (await Look(address, Scripts)).Current);
        Assert.Equal(
            0, await Scalar<int>(
                address, "select count(*)::int from information_schema.columns where table_name = 'orders' and column_name = 'currency'"));
    }
}

/// <summary>Compares the migrator with unmodified ("stock") DbUp on the same scripts and databases.</summary>
[Trait("Category", "Slow")]
public abstract class DbUpTests : IDisposable
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected TestChain Scripts { get; } = new();

    protected abstract string Engine { get; }

    protected abstract Task<string> EmptyDatabase();

    protected abstract UpgradeEngineBuilder Stock(string address);

    [Fact]
    public async Task Stock_DbUp_finds_no_pending_script_at_each_revision_of_the_migrator()
    {
        var address = await EmptyDatabase();
        foreach (var revision in Revisions)
        {
            await Upgrade(address, revision);
            Assert.Empty(StockUpTo(address, revision).GetScriptsToExecute());
        }

        foreach (var revision in Revisions.Reverse().Skip(1))
        {
            await With(address, null, migrator => migrator.Downgrade(revision, again: false, Ct));
            Assert.Empty(StockUpTo(address, revision).GetScriptsToExecute());
            Assert.Equal(Revisions.Length - Place(revision), StockUpTo(address, Revisions[^1]).GetScriptsToExecute().Count);
        }
    }

    [Fact]
    public async Task The_migrator_continues_at_each_revision_of_stock_DbUp()
    {
        var address = await EmptyDatabase();
        foreach (var revision in Revisions)
        {
            var stock = StockUpTo(address, revision).PerformUpgrade();
            Assert.True(stock.Successful, stock.Error?.Message);
            var status = await Look(address);
            Assert.Equal((revision, Revisions.Length - Place(revision)), (status.Current, status.Pending.Count));
            Assert.Empty(status.Faults);
            Assert.Empty(SchemaDescription.Compare(
                Data.Migrations.Chain.BuiltIn(Engine).Scripts[Place(revision) - 1].Fingerprint!, await With(address, null, migrator =>
                    migrator.Describe(Ct))));
        }

        Assert.Empty(await Upgrade(address, "head"));
        Assert.Equal(Revisions.Length, (await With(address, null, migrator => migrator.Downgrade("base", again: false, Ct))).Count);
        Assert.Equal(Revisions.Length, (await Upgrade(address, "head")).Count);
    }

    [Fact]
    public async Task A_database_of_the_previous_release_is_upgraded_without_preparation()
    {
        var address = await EmptyDatabase();
        foreach (var statement in Data.Migrations.Chain.BuiltIn(Engine).Scripts.Take(11).SelectMany(script => script.Up.Statements))
        {
            await Execute(address, statement.Sql);
        }

        foreach (var statement in StatementSplitter.Statements(
            await File.ReadAllTextAsync(
                Path.Combine(ConventionTests.Root, "Catalog.Tests", "Migrations", "PreviousRelease", $"{Engine}.sql"), Ct)))
        {
            await Execute(address, statement.Sql);
        }

        var status = await Look(address);
        Assert.Equal(("0011_edges_of_pipelines_replaced", 0), (status.Current, status.Faults.Count));
        await Upgrade(address, "head");
        Assert.Equal(Revisions.Length, (await With(address, null, migrator => migrator.Downgrade("base", again: false, Ct))).Count);
        Assert.Equal(Revisions.Length, (await Upgrade(address, "head")).Count);
        Assert.Contains((await Look(address)).Attempts, attempt =>
            attempt is { ToolVersion: "0.1.0", Direction: "upgrade", Outcome: "finished" });
    }

    [Fact]
    public async Task Dollar_signs_in_a_text_are_not_variables()
    {
        var address = await EmptyDatabase();
        Scripts.Change("0002_currency.sql", sql => sql + "insert into customers (id, email) values (9, '$name$ costs $1 $schema$.x');\n");
        await Upgrade(address, "2", Scripts);

        Assert.Equal("$name$ costs $1 $schema$.x", await Scalar<string>(address, "select email from customers where id = 9"));
    }

    [Fact]
    public async Task Twenty_concurrent_migrators_run_each_script_once_and_stock_DbUp_does_not()
    {
        // The scripts can run twice without an error, so only the count shows it. SlowScripts waits after DbUp has read
        // the journal.
        foreach (var name in new[] { "0001_shop", "0002_currency", "0003_state_idx", "0004_touch" })
        {
            var pause = Engine == "postgres" ? "select pg_sleep(0.1);\n" : "";
            Scripts.Change(name + ".sql", _ => $"{pause}insert into ran values ('{name}');\n");
        }

        var control = await EmptyDatabase();
        Assert.True(Stock(control).WithScript("0000_ran.sql", "create table ran (script varchar(20))").Build().PerformUpgrade().Successful);
        await Together(() => Task.Run(() => Stock(control)
            .WithScripts(new SlowScripts(Path.Combine(Scripts.Path, Engine))).WithTransactionPerScript().Build().PerformUpgrade()));
        Assert.True(await Scalar<long>(control, "select count(*) from ran") > 4, "The control shows no race, so this test proves nothing.");

        var address = await EmptyDatabase();
        await Execute(address, "create table ran (script varchar(20))");
        await With(address, Scripts, migrator => migrator.Stamp("base", force: false, Ct));
        var applied = await Together(() => Upgrade(address, "head", Scripts));
        Assert.Equal((4, 4L), (applied.Sum(steps => steps.Count), await Scalar<long>(address, "select count(*) from ran")));
    }

    private static Task<T[]> Together<T>(Func<Task<T>> run)
    {
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var runners = Enumerable.Range(0, 20).Select(async _ =>
        {
            await start.Task;
            return await run();
        }).ToList();
        start.SetResult();
        return Task.WhenAll(runners);
    }

    private string[] Revisions => [.. Data.Migrations.Chain.BuiltIn(Engine).Scripts.Select(script => script.Revision)];

    private int Place(string revision) => Array.IndexOf(Revisions, revision) + 1;

    private UpgradeEngine StockUpTo(string address, string revision) => Stock(address)
        .WithScriptsFromFileSystem(Path.Combine(ConventionTests.Root, "sql", Engine),
            file => string.CompareOrdinal(Path.GetFileNameWithoutExtension(file), revision) <= 0)
        .WithVariablesDisabled().WithoutTransaction().Build();

    protected static async Task<T> With<T>(
        string address, TestChain? scripts, Func<Migrator, Task<T>> work, MigrationLimits? limits = null,
        Action<MigrationStep>? progress = null)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        var folder = database.Dialect.Folder;
        var chain = scripts is null ? Data.Migrations.Chain.BuiltIn(folder) : Data.Migrations.Chain.From(scripts.Path, folder);
        return await work(new(database, chain, TimeProvider.System, limits) { Progress = progress });
    }

    protected static Task<List<MigrationStep>> Upgrade(string address, string target, TestChain? scripts = null) =>
        With(address, scripts, migrator => migrator.Upgrade(target, again: false, Ct));

    protected static Task<SchemaStatus> Look(string address, TestChain? scripts = null) =>
        With(address, scripts, migrator => migrator.ReadStatus(Ct));

    protected static async Task Execute(string address, string sql)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql);
    }

    protected static async Task<T?> Scalar<T>(string address, string sql)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return await connection.ExecuteScalarAsync<T>(sql);
    }

    public void Dispose()
    {
        Scripts.Dispose();
        GC.SuppressFinalize(this);
    }

    // DbUp reads the journal before it calls this provider. The delay makes a race likely.
    private sealed class SlowScripts(string folder) : IScriptProvider
    {
        public IEnumerable<SqlScript> GetScripts(DbUp.Engine.Transactions.IConnectionManager connectionManager)
        {
            Thread.Sleep(300);
            return Directory.GetFiles(folder, "*.sql").Order(StringComparer.Ordinal)
                .Select(file =>
                    new SqlScript(Path.GetFileName(file), File.ReadAllText(file).Replace(";\n", "\n;\n", StringComparison.Ordinal)));
        }
    }
}
