using Catalog.Data.Runs;

namespace Catalog.Data.Events;

/// <summary>
/// Converts an event of another tool to a run event in our own format, so that all runs are folded in the same way.
/// </summary>
public static class RunEventFactory
{
    /// <summary>Creates the event.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="pipelineId">Its pipeline.</param>
    /// <param name="digest">The digest of the logged event.</param>
    /// <param name="fields">What the event says about the run.</param>
    public static RunEvent Of(string runId, string pipelineId, byte[] digest, RunFields fields)
    {
        var @event = new RunEvent
        {
            RunId = runId,
            PipelineId = pipelineId,
            Status = fields.Status,
            StartedAt = fields.StartedAt,
            CompletedAt = fields.CompletedAt,
            RecordsProcessed = fields.RecordsProcessed,
            ErrorMessage = fields.ErrorMessage,
            Stages = fields.Stages,
            Digest = digest,
            Body = "",
            BodyIsReport = true,
        };
        return @event with { Body = RunEventJson.Write(@event) };
    }
}

/// <summary>What an event of another tool says about a run.</summary>
public sealed record RunFields : Report
{
    public IReadOnlyList<StageReport> Stages { get; init; } = [];
}
