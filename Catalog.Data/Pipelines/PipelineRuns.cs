using Catalog.Data.Database;

namespace Catalog.Data.Pipelines;

/// <summary>Reads the last runs of pipelines.</summary>
public sealed class PipelineRuns(CatalogDatabase db)
{
    /// <summary>The SQL that orders <c>runs</c> by start, latest first.</summary>
    internal const string Order = $"{RunSortTimes.Started} desc, id desc";

    /// <summary>The last started runs of each pipeline, in one statement, latest start first.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="pipelineIds">At most 500 ids; unknown ids are left out.</param>
    /// <param name="count">The maximum number of runs of each pipeline.</param>
    /// <param name="ct">Cancels the operation.</param>
    public async Task<ILookup<string, RecentRun>> RecentRuns(string organization, IReadOnlyList<string> pipelineIds, int count,
        CancellationToken ct)
    {
        var sql = $"""
            -- PipelineRuns.Recent
            select runs.pipeline_id, runs.id, runs.status, runs.created_at, runs.updated_at, runs.started_at, runs.completed_at
            from {db.Dialect.Keys("pipelines", "organization_id = @organization", "id", "@ids")}
            {db.Dialect.JoinFirst("runs", "organization_id = @organization and pipeline_id = pipelines.id", Order, "@count")}
            """;

        var rows = pipelineIds.Count == 0
            ? [] : await db.Many<RecentRun>(organization, sql, new { organization, ids = pipelineIds.ToArray(), count }, ct);
        return rows.OrderByDescending(run => run.StartedAt ?? run.CreatedAt).ThenByDescending(run => run.Id, StringComparer.Ordinal)
            .ToLookup(run => run.PipelineId, StringComparer.Ordinal);
    }
}

/// <summary>One of the last runs of a pipeline.</summary>
public sealed record RecentRun
{
    public required string PipelineId { get; init; }
    public required string Id { get; init; }

    /// <summary>A word of RunStatus.</summary>
    public required string Status { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>The duration; null when the start or the end is not known, or the end is before the start.</summary>
    public double? DurationSeconds => CompletedAt >= StartedAt ? (CompletedAt.Value - StartedAt.Value).TotalSeconds : null;
}
