namespace Catalog.Bench.Load;

/// <summary>check_results of one database.</summary>
internal sealed class ResultTable(Stand stand, string database)
{
    /// <summary>Counts what a contestant leaves in the table and compares it with what it was told is there.</summary>
    /// <param name="contestant">It takes its turn between two counts.</param>
    /// <param name="emptied">Every turn begins with an empty table, so that none is slower for those before it.</param>
    /// <param name="counted">The condition of the rows that are counted.</param>
    public Contestant Watch(Contestant contestant, bool emptied = true, string counted = "true") => contestant with
    {
        Run = async (seconds, ct) =>
        {
            if (emptied)
            {
                await stand.Postgres.Execute(database, "truncate check_results", ct);
            }

            await stand.Postgres.Execute(database, "checkpoint", ct);
            var before = await Count(counted, ct);
            var sample = await contestant.Run(seconds, ct);
            // Requests that were under way when the clients left may still be stored; they must not be taken for others later.
            await Task.Delay(300, ct);
            return sample with { Lost = Math.Max(0, sample.Acknowledged - (await Count(counted, ct) - before)) };
        },
    };

    public async Task Preload(string organization, int rows, CancellationToken ct)
    {
        const int Part = 500_000;
        for (var from = 1; from <= rows; from += Part)
        {
            await stand.Postgres.Execute(database, ResultSql.Preload(organization, from, Math.Min(rows, from + Part - 1)), ct);
        }

        await stand.Postgres.Execute(database, "vacuum analyze check_results", ct);
        await stand.Postgres.Execute(database, "checkpoint", ct);
    }

    public Task<string> Indexes(CancellationToken ct) => stand.Postgres.Scalar<string>(
        database, "select string_agg(replace(indexname, 'check_results_', ''), ', ' order by indexname) from pg_indexes where tablename = 'check_results'", ct);

    private Task<long> Count(string counted, CancellationToken ct) => stand.Postgres.Scalar<long>(database, $"select count(*) from check_results where {counted}", ct);
}
