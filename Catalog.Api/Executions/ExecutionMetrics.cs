using System.Diagnostics.Metrics;

namespace Catalog.Api.Executions;

/// <summary>The metrics of executions on this replica.</summary>
internal sealed class ExecutionMetrics
{
    private static readonly InstrumentAdvice<double> Times =
        new() { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600] };

    private readonly Histogram<double> _durations;
    private readonly Histogram<double> _waits;
    private readonly Counter<long> _checks;

    public ExecutionMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Catalog");
        _durations = meter.CreateHistogram("catalog.execution.duration", "s", "Duration of an execution on this replica", null, Times);
        _waits = meter.CreateHistogram("catalog.execution.wait", "s", "Time from the request for an execution to its start", null, Times);
        _checks = meter.CreateCounter<long>("catalog.execution.checks", "{check}", "Checks that were executed");
    }

    /// <summary>Records the first start of an execution.</summary>
    public void Started(TimeSpan waited) => _waits.Record(Math.Max(0, waited.TotalSeconds));

    /// <summary>Records the outcome of one check: a word of <see cref="Data.Checks.CheckStatus"/>.</summary>
    public void Checked(string status, int checks = 1) => _checks.Add(checks, new KeyValuePair<string, object?>("status", status));

    /// <summary>Records the end of an execution.</summary>
    /// <param name="outcome">The status of the execution; <c>interrupted</c> when this replica has not ended it.</param>
    /// <param name="duration">The time since this replica claimed the execution.</param>
    public void Ended(string outcome, TimeSpan duration) =>
        _durations.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));
}
