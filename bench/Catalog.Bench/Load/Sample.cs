namespace Catalog.Bench.Load;

/// <summary>What one contestant did in one round.</summary>
internal sealed record Sample
{
    /// <summary>Requests, statements or rows a second, whatever the workload counts.</summary>
    public required double Rate { get; init; }

    /// <summary>Milliseconds; null where it is not known.</summary>
    public double? P50 { get; init; }

    public double? P95 { get; init; }

    public double? P99 { get; init; }

    /// <summary>Microseconds of processor that the service used for each of what is counted.</summary>
    public double? ServiceMicroseconds { get; init; }

    /// <summary>The same of all Postgres processes.</summary>
    public double? PostgresMicroseconds { get; init; }

    /// <summary>Rows that were acknowledged, where rows are counted.</summary>
    public long Acknowledged { get; init; }

    /// <summary>Answers that were not 2xx, and sockets that broke.</summary>
    public long Refused { get; init; }

    /// <summary>Rows that were acknowledged and are not in the table; null where nobody looked.</summary>
    public long? Lost { get; init; }
}

/// <summary>Somebody who takes a turn in every round.</summary>
/// <param name="Name">As it stands in the table.</param>
/// <param name="Run">Takes the seconds of one turn.</param>
internal sealed record Contestant(string Name, Func<int, CancellationToken, Task<Sample>> Run);
