using System.Data;
using System.Data.Common;
using Catalog.Data.Database.Sqlite;
using Microsoft.Data.Sqlite;

namespace Catalog.Tests.Database;

/// <summary>The writing connection that the service keeps open between two uses.</summary>
[Trait("Category", "Fast")]
public sealed class SqliteSourceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("catalog-source-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_kept_connection_is_used_again_with_its_commands_and_closes_with_the_source()
    {
        var (reads, writes) = SqliteSource.Open(Path.Combine(_folder, "kept.db"), keepsWriter: true);
        DbConnection first;
        SqliteCommand command;
        await using (reads)
        await using (writes)
        {
            await using (first = await writes.OpenConnectionAsync(Ct))
            {
                command = Prepared(first);
            }

            await using var second = await writes.OpenConnectionAsync(Ct);
            Assert.Same(first, second);
            Assert.Same(command, Prepared(second));
        }

        Assert.Equal(ConnectionState.Closed, first.State);
    }

    [Fact]
    public async Task A_connection_with_an_open_transaction_is_rolled_back_and_not_kept()
    {
        var (reads, writes) = SqliteSource.Open(Path.Combine(_folder, "open.db"), keepsWriter: true);
        await using (reads)
        await using (writes)
        {
            DbConnection first;
            await using (first = await writes.OpenConnectionAsync(Ct))
            {
                await Execute(first, "create table t (id integer)");
                var open = await first.BeginTransactionAsync(Ct);
                await Execute(first, "insert into t values (1)", open);
            }

            await using var second = await writes.OpenConnectionAsync(Ct);
            Assert.NotSame(first, second);
            Assert.Equal(0L, await Execute(second, "select count(*) from t"));
        }
    }

    [Fact]
    public async Task A_writer_waits_until_the_connection_is_returned()
    {
        var (reads, writes) = SqliteSource.Open(Path.Combine(_folder, "lock.db"), keepsWriter: true);
        await using (reads)
        await using (writes)
        {
            var first = await writes.OpenConnectionAsync(Ct);
            var second = writes.OpenConnectionAsync(Ct).AsTask();
            Assert.False(second.IsCompleted);

            await first.DisposeAsync();

            await using var connection = await second;
            Assert.Same(first, connection);
        }
    }

    private static SqliteCommand Prepared(DbConnection connection) => ((SqliteSourceConnection)connection).Prepared("one", () =>
    {
        var command = ((SqliteConnection)connection).CreateCommand();
        command.CommandText = "select 1";
        command.Prepare();
        return command;
    });

    private static async Task<object?> Execute(DbConnection connection, string sql, DbTransaction? transaction = null)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        return await command.ExecuteScalarAsync(Ct);
    }
}
