using System.Data.Common;
using System.Diagnostics;
using Catalog.Data;
using Catalog.Data.Database.Sqlite;
using Catalog.Data.Lineage;

namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// Single posts onto SQLite, beside a loop in this process that gives every row a transaction of its own. What the same loop does with 32 rows a
/// transaction is what sharing a commit could bring if clients cost nothing.
/// </summary>
internal static class SqliteWorkload
{
    private const string Ours = "post, 32 clients", Theirs = "a transaction a row", Most = "a transaction for 32 rows";

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
                new(Theirs, (seconds, token) => Loop(writes, seconds, 1, token)),
                new(Most, (seconds, token) => Loop(writes, seconds, 32, token)));
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

    private static async Task<Sample> Loop(DbDataSource source, int seconds, int each, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = $"""
            insert into check_results (organization_id, {ResultSql.Columns}, dataset_key)
            values ('default', @id, @pipeline, @check, @run, 'pass', 'error', @dataset, '12345', 12345, @expected, 0, 12345,
                'row count of the last load lies within the bounds that the owners of the table agreed on in spring', @time, 0.412, @metadata, @hash, @time,
                @dataset_key)
            """;
        DbParameter Parameter(string name, object value)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
            return parameter;
        }

        var (id, pipeline, check, run) = (Parameter("@id", ""), Parameter("@pipeline", ""), Parameter("@check", ""), Parameter("@run", ""));
        var (dataset, datasetKey, time) = (Parameter("@dataset", ""), Parameter("@dataset_key", ""), Parameter("@time", ""));
        Parameter("@expected", """{"min":1000,"max":100003}""");
        Parameter("@metadata", """{"task":"check_orders","attempt":1,"worker":"worker-1"}""");
        Parameter("@hash", new byte[32]);
        command.Prepare();
        var rows = 0;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            ct.ThrowIfCancellationRequested();
            await using var transaction = await connection.BeginTransactionAsync(ct);
            command.Transaction = transaction;
            for (var last = rows + each; rows < last; rows++)
            {
                // The rows that a post makes: the numbers of Requests.Posts name the checks, runs and datasets.
                var number = (rows % Requests.Posts.Length + 1) * 7919;
                (id.Value, pipeline.Value) = (Guid.CreateVersion7().ToString(), ResultBody.Pipeline(number));
                (check.Value, run.Value, dataset.Value) = ($"orders_row_count_{number % 100}", $"scheduled__2026-01-01T{number % 1000:000000}", $"warehouse.sales.orders_{number % 200}");
                (datasetKey.Value, time.Value) = (SqliteValue.From(DatasetId.Of("", (string)dataset.Value)), SqliteValue.From(TimeProvider.System.Now()));
                command.ExecuteNonQuery();
            }

            await transaction.CommitAsync(ct);
        }

        return new() { Rate = rows / watch.Elapsed.TotalSeconds };
    }
}
