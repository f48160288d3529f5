using Catalog.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Catalog.Tests.Database;

[Trait("Category", "Fast")]
public sealed class SqliteConcurrencyTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Fault", "F21")]
    public async Task Eight_writers_and_eight_readers_never_see_a_locked_database()
    {
        const int PerWriter = 100;
        var db = database.Database;
        var readers = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                await db.One<long>("default", "select count(*) from datasets", null, Ct);
            }
        })));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < PerWriter; i++)
            {
                // The transaction reads before it writes: a deferred transaction would fail with "database is locked".
                await db.Write("default", async session =>
                {
                    await session.One<long>("select count(*) from datasets", null, Ct);
                    return await session.Execute(
                        "insert into datasets (organization_id, id, namespace, name, created_at) values ('default', @id, '', @name, "
                            + "'2026-01-01T00:00:00.000000Z')",
                        new { id = Guid.NewGuid(), name = $"{writer}-{i}" }, Ct);
                }, Ct);
            }
        })));

        await readers;
        Assert.Equal(8 * PerWriter, await db.One<long>("default", "select count(*) from datasets", null, Ct));
    }

    [Fact]
    public async Task A_writer_has_the_documented_pragmas_and_a_reader_cannot_write()
    {
        var pragmas = await database.Database.Write("default", async session => (
            Journal: await session.One<string>("pragma journal_mode", null, Ct),
            ForeignKeys: await session.One<long>("pragma foreign_keys", null, Ct),
            Synchronous: await session.One<long>("pragma synchronous", null, Ct),
            BusyTimeout: await session.One<long>("pragma busy_timeout", null, Ct)), Ct);

        Assert.Equal(("wal", 1, 2, 5000), pragmas);
        var failure = await Assert.ThrowsAnyAsync<Exception>(() =>
            database.Database.One<int>("default", "delete from datasets returning 1", null, Ct));
        Assert.Equal(8, Assert.IsType<SqliteException>(failure.InnerException).SqliteErrorCode);
    }
}
