using System.Diagnostics;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Migrations;

/// <summary>New databases for a chain of four small scripts about a shop.</summary>
internal sealed class ShopMigrations(PostgresTestDatabase server) : IDisposable
{
    public static readonly string[] Revisions = ["0001_shop", "0002_currency", "0003_state_idx", "0004_touch"];

    public TestChain Scripts { get; } = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async Task AssertClean(string address)
    {
        var clean = await Empty();
        await Upgrade(clean, "head");
        Assert.Equal(await Describe(clean), await Describe(address));
        Assert.Equal(Revisions, (await Look(address)).Applied.Select(row => Path.GetFileNameWithoutExtension(row.ScriptName)));
        Assert.Empty((await Look(address)).HalfApplied);
        // Each script is applied once: a second update by 0002 would change the e-mail address again.
        Assert.Equal(
            2, await Count(address, "select count(*)::int from customers where email in ('a;b@example.com.', 'it''s -- no comment')"));
    }

    public async Task<string> Empty()
    {
        server.Require();
        return await PostgresTestDatabase.Empty("catalog_runner");
    }

    public static Task<MigrationDatabase> Open(string address) => Task.FromResult(MigrationDatabase.Open(TestDatabase.Read(address)));

    private async Task<T> With<T>(string address, Func<Migrator, Task<T>> work)
    {
        await using var database = await Open(address);
        return await work(new Migrator(database, Chain.From(Scripts.Path, "postgres"), TimeProvider.System));
    }

    public Task<List<MigrationStep>> Upgrade(string address, string target) =>
        With(address, migrator => migrator.Upgrade(target, again: false, Ct));

    public Task<List<MigrationStep>> Downgrade(string address, string target) =>
        With(address, migrator => migrator.Downgrade(target, again: false, Ct));

    private Task<IReadOnlyList<string>> Describe(string address) => With(address, migrator => migrator.Describe(Ct));

    public Task<SchemaStatus> Look(string address) => With(address, migrator => migrator.ReadStatus(Ct));

    public static async Task Execute(string address, string sql)
    {
        await using var database = await Open(address);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql);
    }

    private static async Task<int> Count(string address, string sql)
    {
        await using var database = await Open(address);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return await connection.ExecuteScalarAsync<int>(sql);
    }

    public static async Task Until(System.Data.Common.DbConnection connection, string condition)
    {
        var clock = Stopwatch.StartNew();
        while (!await connection.ExecuteScalarAsync<bool>(condition))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"Not true within 20 seconds: {condition}");
            await Task.Delay(20, Ct);
        }
    }

    public void Dispose() => Scripts.Dispose();
}
