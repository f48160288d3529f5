using System.Data.Common;
using System.Diagnostics;
using Catalog.Data.Database.Sqlite;

namespace Catalog.Bench.Load.Workloads;

/// <summary>Single posts onto SQLite, beside a loop in this process that gives every row a transaction of its own.</summary>
internal static class SqliteWorkload
{
    private const string Ours = "post, 32 clients", Theirs = "a transaction a row";

    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct)
    {
        var (served, looped) = (stand.NewFile("served.db"), stand.NewFile("looped.db"));
        await stand.Migrations(looped, ct, "upgrade");
        await using var service = await Service.Start(stand, served, ownOrganization: true, ct);
        // The service's own source, and so its own pragmas.
        var (reads, _) = SqliteSource.Open(served);
        var (_, writes) = SqliteSource.Open(looped);
        await using (reads)
        await using (writes)
        {
            var post = new HttpLoad(stand, service, Ours, 32, Requests.Posts).Contestant;
            var contest = await Contest.Hold(stand.Options, ct,
                post with
                {
                    Run = async (seconds, token) =>
                    {
                        var before = await Count(reads, token);
                        var sample = await post.Run(seconds, token);
                        await Task.Delay(300, token);
                        return sample with { Lost = Math.Max(0, sample.Acknowledged - (await Count(reads, token) - before)) };
                    },
                },
                new(Theirs, (seconds, token) => Loop(writes, seconds, token)));
            contest.Print("rows", Theirs);
            return [Goal.Least("SQLite, post, 32 clients / a transaction a row", contest.Ratio(Ours, Theirs), 4)];
        }
    }

    private static async Task<long> Count(DbDataSource source, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from check_results";
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task<Sample> Loop(DbDataSource source, int seconds, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = $"""
            insert into check_results (organization_id, {ResultSql.Columns}, dataset_key)
            values ('default', @id, 'daily_orders_1', @check, @run, 'pass', 'error', 'warehouse.sales.orders_1', '12345', 12345, @expected, 0, 12345,
                'row count of the last load lies within the bounds that the owners of the table agreed on in spring', @time, 0.412, @metadata, @hash, @time,
                '9F1D8C1E-8F0F-4F5E-9E5A-2D6C9B7A1E33')
            """;
        DbParameter Parameter(string name, object value)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
            return parameter;
        }

        var (id, check, run) = (Parameter("@id", ""), Parameter("@check", ""), Parameter("@run", ""));
        Parameter("@expected", """{"min":1000,"max":100003}""");
        Parameter("@metadata", """{"task":"check_orders","attempt":1,"worker":"worker-1"}""");
        Parameter("@time", "2026-01-31T08:00:00.000000Z");
        Parameter("@hash", new byte[32]);
        var rows = 0;
        var watch = Stopwatch.StartNew();
        for (; watch.Elapsed.TotalSeconds < seconds; rows++)
        {
            ct.ThrowIfCancellationRequested();
            (id.Value, check.Value, run.Value) = (Guid.CreateVersion7().ToString(), $"orders_row_count_{rows % 100}", $"scheduled__2026-01-01T{rows % 1000:000000}");
            // Outside an explicit transaction a statement is one.
            command.ExecuteNonQuery();
        }

        return new() { Rate = rows / watch.Elapsed.TotalSeconds };
    }
}
