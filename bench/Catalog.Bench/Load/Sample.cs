namespace Catalog.Bench.Load;

/// <summary>The measurement of one candidate in one round.</summary>
internal sealed record Sample
{
    /// <summary>Requests, statements or rows per second, depending on the workload.</summary>
    public required double Rate { get; init; }

    /// <summary>Latency in milliseconds; null when it is not measured.</summary>
    public double? P50 { get; init; }

    public double? P95 { get; init; }

    public double? P99 { get; init; }

    /// <summary>
    /// CPU time of the service for each request or row, in microseconds; null when there is no service.
    /// </summary>
    public double? ServiceMicroseconds { get; init; }

    /// <summary>CPU time of all Postgres processes for each request or row, in microseconds; null on SQLite.</summary>
    public double? PostgresMicroseconds { get; init; }

    /// <summary>The number of requests or rows with a 2xx answer or a commit.</summary>
    public long Acknowledged { get; init; }

    /// <summary>The number of answers that were not 2xx, and of socket errors.</summary>
    public long Failed { get; init; }

    /// <summary>
    /// The number of acknowledged rows that are missing from the table; null when rows were not counted.
    /// </summary>
    public long? Lost { get; init; }
}

/// <summary>A load to measure: the service, or a reference.</summary>
/// <param name="Name">The name in the printed table.</param>
/// <param name="Run">Runs the load for the given number of seconds.</param>
internal sealed record Candidate(string Name, Func<int, CancellationToken, Task<Sample>> Run);
