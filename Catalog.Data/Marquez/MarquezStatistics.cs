using Catalog.Data.Database;
using Catalog.Data.Runs;

namespace Catalog.Data.Marquez;

/// <summary>Counts for the charts of Marquez's UI.</summary>
public sealed class MarquezStatistics(CatalogDatabase db)
{
    private static readonly string[] Ends = [RunStatus.Completed, RunStatus.Failed, RunStatus.Cancelled];

    /// <summary>The numbers of starts and of ends of runs in each hour. A number that is 0 is left out.</summary>
    public Task<List<StartsAndEnds>> Hours(string organization, DateTimeOffset since, DateTimeOffset until, CancellationToken ct)
    {
        string Part(string what, string time, string where) => $"""
            select * from (
                select {db.Dialect.HourOf(time)} as hour, '{what}' as what
                from runs
                where organization_id = @organization {where}
                order by {time} desc
                limit @MaxCounted) as {what}
            """;
        var parts = Ends
            .Select(status => Part(
                status, "completed_at", $"and status = '{status}' and completed_at >= @since and completed_at < @until"))
            .Prepend(Part("started", RunSortTimes.Started, $"and {RunSortTimes.Started} >= @since and {RunSortTimes.Started} < @until"));
        var sql = $"""
            -- Marquez.Hours
            select hour as start, what, count(*) as runs
            from ({string.Join("\nunion all\n", parts)}) as counted
            group by hour, what
            """;

        return db.Many<StartsAndEnds>(organization, sql, new { organization, since, until, HourlyRunCounts.MaxCounted }, ct);
    }

    /// <summary>
    /// When the newest jobs or datasets appeared, newest first; or when the namespaces of the newest datasets appeared,
    /// in any order.
    /// </summary>
    public Task<List<DateTimeOffset>> Created(string organization, CreatedThing what, CancellationToken ct)
    {
        const string Jobs = """
            -- Marquez.CreatedJobs
            select created_at
            from pipelines
            where organization_id = @organization and deleted_at is null
            order by created_at desc
            limit @MaxExamined
            """;
        const string Datasets = """
            -- Marquez.CreatedDatasets
            select created_at
            from datasets
            where organization_id = @organization
            order by created_at desc
            limit @MaxExamined
            """;
        const string Sources = """
            -- Marquez.CreatedSources
            select min(created_at) as created_at
            from (
                select namespace, created_at
                from datasets
                where organization_id = @organization
                order by created_at desc
                limit @MaxExamined) as newest
            group by namespace
            """;

        var sql = what == CreatedThing.Job ? Jobs : what == CreatedThing.Dataset ? Datasets : Sources;
        return db.Many<DateTimeOffset>(organization, sql, new { organization, MarquezJobs.MaxExamined }, ct);
    }
}

/// <summary>What a chart counts.</summary>
public enum CreatedThing
{
    Job,
    Dataset,

    /// <summary>A namespace of datasets.</summary>
    Source,
}

/// <summary>The number of runs that started in one hour, or that ended in one hour with one status.</summary>
public sealed record StartsAndEnds
{
    /// <summary>The start of the hour, UTC.</summary>
    public required DateTimeOffset Start { get; init; }

    /// <summary>started, completed, failed or cancelled.</summary>
    public required string What { get; init; }

    public required long Runs { get; init; }
}
