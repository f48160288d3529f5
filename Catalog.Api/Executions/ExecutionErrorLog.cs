using Catalog.Api.Background;
using Catalog.Api.Http;

namespace Catalog.Api.Executions;

/// <summary>
/// Logs executions with checks that could not be evaluated. The first such execution of a pipeline is logged at once.
/// Further executions are counted, and the count is logged once a minute, so that many executions do not fill the log.
/// The reasons are in the results.
/// </summary>
internal sealed partial class ExecutionErrorLog(ILogger<ExecutionErrorLog> log) : IRecurringWork
{
    // Organizations can register many pipelines, so the number of pipelines that are counted separately is limited.
    private readonly RepeatCounter<(string Organization, string Pipeline)> _pipelines = new(1000, ("", "others"));

    public string Name => "count executions with errors";

    public TimeSpan Pause => TimeSpan.FromMinutes(1);

    public bool RunsAtStop => true;

    /// <summary>Counts an execution that has ended.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="pipeline">The pipeline; null for standalone checks.</param>
    /// <param name="execution">The id of the execution.</param>
    /// <param name="checks">The number of its checks that ended with an error in this replica; nothing is logged for 0.</param>
    public void Ended(string organization, string? pipeline, string execution, int checks)
    {
        if (checks > 0 && _pipelines.Add((organization, pipeline ?? "")))
        {
            LogFirst(organization, pipeline ?? "(none)", execution, checks);
        }
    }

    public Task Run(CancellationToken ct)
    {
        // The last run, at stop, gets a token that cannot be cancelled.
        foreach (var ((organization, pipeline), more) in _pipelines.TakeRepeats(!ct.CanBeCanceled))
        {
            LogMore(organization, pipeline.Length == 0 ? "(none)" : pipeline, more);
        }

        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Execution {Execution} has checks that could not be evaluated: {Checks} "
        + "(organization {Organization}, pipeline {Pipeline}); see the results for the reasons. Further executions with such checks "
        + "are only counted, in one log line a minute")]
    private partial void LogFirst(string organization, string pipeline, string execution, int checks);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Count} more executions have checks that could not be evaluated (organization {Organization}, pipeline {Pipeline})")]
    private partial void LogMore(string organization, string pipeline, long count);
}
