namespace Catalog.Bench.Load;

/// <summary>A table of one database whose rows are counted.</summary>
internal sealed class ResultTable(TestBed testBed, string database, string table = "check_results")
{
    /// <summary>
    /// Wraps a candidate: counts the rows that it adds to the table, and reports acknowledged rows that are missing as
    /// lost.
    /// </summary>
    /// <param name="candidate">The candidate; it runs between two counts.</param>
    /// <param name="truncate">Whether to empty the table before each turn, so that earlier turns do not slow it
    /// down.</param>
    /// <param name="condition">The SQL condition of the rows to count.</param>
    public Candidate CheckLosses(Candidate candidate, bool truncate = true, string condition = "true") => candidate with
    {
        Run = async (seconds, ct) =>
        {
            if (truncate)
            {
                await testBed.Postgres.Execute(database, $"truncate {table}", ct);
            }

            await testBed.Postgres.Execute(database, "checkpoint", ct);
            var before = await Count(condition, ct);
            var sample = await candidate.Run(seconds, ct);
            // Requests that were in progress when the clients stopped can still be stored. Wait for them, so that the
            // next turn does not count them.
            await Task.Delay(300, ct);
            return sample with { Lost = Math.Max(0, sample.Acknowledged - (await Count(condition, ct) - before)) };
        },
    };

    public async Task Preload(string organization, int rows, CancellationToken ct)
    {
        const int BatchSize = 500_000;
        for (var from = 1; from <= rows; from += BatchSize)
        {
            await testBed.Postgres.Execute(database, ResultSql.Preload(organization, from, Math.Min(rows, from + BatchSize - 1)), ct);
        }

        await testBed.Postgres.Execute(database, "vacuum analyze check_results", ct);
        await testBed.Postgres.Execute(database, "checkpoint", ct);
    }

    public Task<string> Indexes(CancellationToken ct) => testBed.Postgres.Scalar<string>(
        database, "select string_agg(replace(indexname, 'check_results_', ''), ', ' order by indexname) from pg_indexes where "
            + "tablename = 'check_results'", ct);

    private Task<long> Count(string condition, CancellationToken ct) =>
        testBed.Postgres.Scalar<long>(database, $"select count(*) from {table} where {condition}", ct);
}
