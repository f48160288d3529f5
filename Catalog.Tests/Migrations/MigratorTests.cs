using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Migrations;

public sealed class MigratorOnSqlite : MigratorTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-migrations-").FullName;

    protected override Task<string> EmptyDatabase() => Task.FromResult(Path.Combine(_directory, $"{Guid.NewGuid():N}.db"));
}

public sealed class MigratorOnPostgres : MigratorTests, IClassFixture<PostgresTestDatabase>
{
    public MigratorOnPostgres(PostgresTestDatabase database) => database.Require();

    protected override Task<string> EmptyDatabase() => PostgresTestDatabase.Empty("catalog_empty");
}

public abstract class MigratorTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract Task<string> EmptyDatabase();

    [Fact]
    public async Task An_empty_database_is_brought_to_head_and_a_second_run_has_nothing_to_do()
    {
        var address = await EmptyDatabase();

        Assert.Equal(Head.Length, await Upgrade(address));
        Assert.Equal(0, await Upgrade(address));

        var history = await History(address);
        Assert.Equal(Head, history.Select(row => row.ScriptName));
        Assert.All(history, row => Assert.True(row.Checksum?.Length == 64 && row.AppliedBy is not null && row.DurationSeconds >= 0));
        Assert.InRange(history[0].Applied, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
    }

    [Fact]
    public async Task Eight_migrators_at_once_apply_each_script_once()
    {
        var address = await EmptyDatabase();

        var applied = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Upgrade(address))));

        Assert.Equal(Head.Length, applied.Sum());
        Assert.Equal(Head, (await History(address)).Select(row => row.ScriptName));
    }

    [Fact]
    public async Task A_changed_script_and_an_unknown_one_stop_the_upgrade()
    {
        var address = await EmptyDatabase();
        await Upgrade(address);
        await Execute(address, "update schemaversions set checksum = 'other'");
        Assert.Contains("was changed after it was applied", (await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address))).Message);

        await Execute(address, "insert into schemaversions (scriptname, applied) values ('9999_future.sql', '2026-01-01')");
        Assert.Contains("9999_future.sql", (await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address))).Message);
    }

    [Fact]
    public async Task A_script_that_fails_leaves_nothing_behind()
    {
        var address = await EmptyDatabase();
        await Execute(address, "create table runs (id integer)");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address));

        Assert.Equal(MigrationFault.NotEmpty, failure.Fault);
        Assert.Empty(await History(address));
        await Execute(address, "drop table runs");
        Assert.Equal(Head.Length, await Upgrade(address));
    }

    [Fact]
    public async Task The_probe_says_what_is_missing()
    {
        var address = await EmptyDatabase();
        var (source, dialect, failures) = Databases.OpenForProbe(TestDatabase.Read(address));
        await using var probe = new SchemaProbe(source, dialect, failures);

        var before = await probe.Look(Ct);
        await Upgrade(address);
        var after = await probe.Look(Ct);

        Assert.False(before.Ready);
        Assert.Contains("0001_initial", before.Reason);
        Assert.Equal((true, Path.GetFileNameWithoutExtension(Head[^1]), null), (after.Ready, after.Head, after.Reason));
    }

    private static string[] Head => [.. Chain.BuiltIn("postgres").Scripts.Select(script => script.Name)];

    private static async Task<int> Upgrade(string address)
    {
        await using var database = Databases.OpenForMigrations(TestDatabase.Read(address));
        return (await new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System).Upgrade(Chain.Head, again: false, Ct)).Count;
    }

    private static async Task<IReadOnlyList<AppliedScript>> History(string address)
    {
        await using var database = Databases.OpenForMigrations(TestDatabase.Read(address));
        return (await new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System).Look(Ct)).Applied;
    }

    private static async Task Execute(string address, string sql)
    {
        await using var database = Databases.OpenForMigrations(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql);
    }
}
