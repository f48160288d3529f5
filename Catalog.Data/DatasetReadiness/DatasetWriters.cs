using Catalog.Data.Pipelines;
using Catalog.Data.Runs;

namespace Catalog.Data.DatasetReadiness;

/// <summary>Finds the runs that wrote a dataset, or possibly wrote it.</summary>
internal static class DatasetWriters
{
    /// <summary>The pipelines that write a dataset, with their last writes.</summary>
    /// <param name="declared">The pipelines whose edges end in the dataset.</param>
    /// <param name="uses">The last writes of the dataset that events report.</param>
    /// <param name="runs">The runs of these writes by id. Unknown runs are missing.</param>
    /// <param name="pipelines">The pipelines by id.</param>
    /// <param name="recent">The last runs of these pipelines.</param>
    public static List<WriterFacts> Of(IEnumerable<string> declared, List<UseFacts> uses, Dictionary<string, RecentRun> runs,
        Dictionary<string, WriterPipeline> pipelines, ILookup<string, RecentRun> recent)
    {
        var reported = uses.GroupBy(use => use.RunId, StringComparer.Ordinal)
            .Select(group => (RunId: group.Key, Run: runs.GetValueOrDefault(group.Key), LastAt: group.Max(use => use.LastAt)))
            .ToLookup(use => use.Run?.PipelineId ?? "", StringComparer.Ordinal);
        HashSet<string> edges = new(declared, StringComparer.Ordinal);
        var ids = edges.Concat(reported.Select(group => group.Key)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        return [.. ids.Select(id =>
        {
            var own = reported[id].ToList();
            List<WriteFacts> writes = [.. own.Select(use => Write(use.RunId, use.Run, use.LastAt))];
            var known = own.Select(use => use.RunId).ToHashSet(StringComparer.Ordinal);
            var others = recent[id].Where(run => !known.Contains(run.Id)).Select(run => Write(run.Id, run, null)).ToList();
            // A pipeline no longer writes the dataset when it has no edge to it and has completed a later run without
            // writing it.
            var isPast = !edges.Contains(id)
                && others.Exists(run => run.Status == RunStatus.Completed && writes.TrueForAll(write => write.At < run.At));
            var pipeline = pipelines.GetValueOrDefault(id);
            return new WriterFacts
            {
                PipelineId = id,
                IsCurrent = id.Length > 0 && !isPast && pipeline?.DeletedAt is null,
                Schedule = pipeline?.Schedule,
                RegisteredAt = pipeline?.CreatedAt ?? default,
                // If events report writes of this dataset by the pipeline, a completed run without such a report did
                // not write it and is left out. A run with another status can still report a write, so it is included.
                Writes = [.. writes, .. others.Where(run => own.Count == 0 || run.Status != RunStatus.Completed)],
            };
        })];
    }

    private static WriteFacts Write(string id, RecentRun? run, DateTimeOffset? reportedAt)
    {
        var end = run?.CompletedAt ?? run?.StartedAt ?? run?.CreatedAt;
        return new()
        {
            RunId = id,
            Status = run?.Status,
            StartedAt = run?.StartedAt,
            At = reportedAt > end || end is null ? reportedAt ?? default : end.Value,
        };
    }
}

/// <summary>A write of a dataset that an event reports.</summary>
internal sealed record UseFacts
{
    public required Guid Dataset { get; init; }
    public required string RunId { get; init; }
    public required DateTimeOffset LastAt { get; init; }
}

/// <summary>A pipeline that writes a dataset.</summary>
internal sealed record WriterPipeline
{
    public required string Id { get; init; }
    public string? Schedule { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? DeletedAt { get; init; }
}
