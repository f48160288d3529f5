using System.Diagnostics.Metrics;
using Catalog.Api.Background;
using Catalog.Data;
using Catalog.Data.Executions;

namespace Catalog.Api.Executions;

/// <summary>
/// Measures how long the oldest execution waits for a replica, also when no replica has a free worker. The database is
/// asked only while the metric is collected.
/// </summary>
internal sealed class ExecutionQueueAge : IRecurringWork
{
    private readonly ExecutionJobs _jobs;
    private readonly TimeProvider _time;
    private readonly ObservableGauge<double> _gauge;
    private double _seconds;

    public ExecutionQueueAge(ExecutionJobs jobs, TimeProvider time, IMeterFactory meters)
    {
        (_jobs, _time) = (jobs, time);
        _gauge = meters.Create("Catalog").CreateObservableGauge("catalog.execution.queue_age", () => Volatile.Read(ref _seconds), "s",
            "Age of the oldest execution that waits, in all organizations; 0 if none waits");
    }

    public string Name => "measure the queue of executions";

    public TimeSpan Pause => TimeSpan.FromSeconds(15);

    public async Task Run(CancellationToken ct)
    {
        if (_gauge.Enabled)
        {
            var now = _time.Now();
            var oldest = await _jobs.OldestDue(now, ct);
            Volatile.Write(ref _seconds, oldest is { } due ? Math.Max(0, (now - due).TotalSeconds) : 0);
        }
    }
}
