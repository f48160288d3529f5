using System.Data.Common;
using System.Diagnostics;
using Catalog.Data;
using Catalog.Data.Database.Sqlite;
using Catalog.Data.Lineage;

namespace Catalog.Bench.Load.Workloads;

/// <summary>
/// Compares single posts on SQLite with a loop in this process that inserts one row per transaction. The same loop with
/// 32 rows per transaction shows the maximum gain of shared commits, without the cost of HTTP clients.
/// </summary>
internal static class SqliteWorkload
{
    private const string ServiceName = "post, 32 clients", OneRowName = "one row per transaction", ManyRowsName = "32 rows per transaction";

    public static async Task<IReadOnlyList<Goal>> Run(TestBed testBed, CancellationToken ct)
    {
        var (serviceFile, loopFile) = (testBed.NewFile("serviceFile.db"), testBed.NewFile("loopFile.db"));
        await testBed.Migrations(loopFile, ct, "upgrade");
        await using var service = await Service.Start(testBed, serviceFile, ownOrganization: true, ct);
        // The loop uses the data source of the service, so it has the same pragmas.
        var (reads, _) = SqliteSource.Open(serviceFile);
        var (_, writes) = SqliteSource.Open(loopFile);
        await using (reads)
        await using (writes)
        {
            var post = new HttpLoad(testBed, service, ServiceName, 32, Requests.Posts).Candidate;
            var comparison = await Comparison.Run(testBed.Options, ct,
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
                new(OneRowName, (seconds, token) => InsertLoop(writes, seconds, 1, token)),
                new(ManyRowsName, (seconds, token) => InsertLoop(writes, seconds, 32, token)));
            comparison.Print("rows", OneRowName);
            return [Goal.Minimum("SQLite, post, 32 clients / one row per transaction", comparison.Ratio(ServiceName, OneRowName), 2.5)];
        }
    }

    private static async Task<long> Count(DbDataSource source, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from check_results";
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task<Sample> InsertLoop(DbDataSource source, int seconds, int rowsPerTransaction, CancellationToken ct)
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
            for (var last = rows + rowsPerTransaction; rows < last; rows++)
            {
                // The same rows as posts: the numbers of Requests.Posts select the checks, runs and datasets.
                var number = (rows % Requests.Posts.Length + 1) * 7919;
                (id.Value, pipeline.Value) = (Guid.CreateVersion7().ToString(), ResultBody.Pipeline(number));
                (check.Value, run.Value, dataset.Value) = ($"orders_row_count_{number % 100}",
                    $"scheduled__2026-01-01T{number % 1000:000000}", $"warehouse.sales.orders_{number % 200}");
                (datasetKey.Value, time.Value) = (SqliteValue.From(DatasetId.Of("", (string)dataset.Value)),
                    SqliteValue.From(TimeProvider.System.Now()));
                command.ExecuteNonQuery();
            }

            await transaction.CommitAsync(ct);
        }

        return new() { Rate = rows / watch.Elapsed.TotalSeconds };
    }
}
