using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>Counts the runs that ended in each hour.</summary>
public sealed class HourlyRunCounts(CatalogDatabase db)
{
    /// <summary>The maximum number of counted runs of each status: the runs that ended last.</summary>
    public const int MaxCounted = 50_000;

    private static readonly string[] Ends = [RunStatus.Completed, RunStatus.Failed, RunStatus.Cancelled, RunStatus.Skipped];

    /// <summary>The hours in which runs ended, oldest first. Hours without an end are left out.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="since">The start of the counted period, inclusive.</param>
    /// <param name="until">The end of the counted period, exclusive.</param>
    /// <param name="ct">Cancels the operation.</param>
    public async Task<RunHourCounts> Count(string organization, DateTimeOffset since, DateTimeOffset until, CancellationToken ct)
    {
        // Each status is one range of an index, and the index contains all columns that are read.
        string Part(string status) => $"""
            select * from (
                select {db.Dialect.HourOf("completed_at")} as hour, status
                from runs
                where organization_id = @organization and status = '{status}' and completed_at >= @since and completed_at < @until
                order by completed_at desc
                limit @MaxCounted) as {status}
            """;
        var sql = $"""
            -- Runs.ByHour
            select hour as start, status, count(*) as runs
            from ({string.Join("\nunion all\n", Ends.Select(Part))}) as ended
            group by hour, status
            """;

        var rows = await db.Many<HourOfStatus>(organization, sql, new { organization, since, until, MaxCounted }, ct);
        return new(
            [.. rows.GroupBy(row => row.Start).OrderBy(hour => hour.Key).Select(hour => new RunHour(
                hour.Key, hour.Sum(row => row.Runs), hour.Where(row => row.Status == RunStatus.Failed).Sum(row => row.Runs)))],
            rows.GroupBy(row => row.Status).Any(status => status.Sum(row => row.Runs) >= MaxCounted));
    }

    private sealed record HourOfStatus
    {
        public required DateTimeOffset Start { get; init; }
        public required string Status { get; init; }
        public required long Runs { get; init; }
    }
}

/// <summary>Runs counted by the hour of their end.</summary>
/// <param name="Hours">The hours, oldest first. Hours without an end are left out.</param>
/// <param name="Truncated">
/// Whether the maximum was reached, so that the numbers of the oldest hours may be too low.
/// </param>
public sealed record RunHourCounts(IReadOnlyList<RunHour> Hours, bool Truncated);

/// <summary>The runs that ended in one hour.</summary>
/// <param name="Start">The start of the hour, UTC.</param>
/// <param name="Total">The number of completed, failed, cancelled and skipped runs.</param>
/// <param name="Failed">The number of failed runs.</param>
public sealed record RunHour(DateTimeOffset Start, long Total, long Failed);
