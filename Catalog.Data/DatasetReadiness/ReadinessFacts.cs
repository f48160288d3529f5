namespace Catalog.Data.DatasetReadiness;

/// <summary>What is known about a dataset when a consumer wants to read it.</summary>
public sealed record ReadinessFacts
{
    /// <summary>The shown id.</summary>
    public required string Dataset { get; init; }

    /// <summary>The number of hops upstream of the dataset that was asked for.</summary>
    public int Depth { get; init; }

    public IReadOnlyList<WriterFacts> Writers { get; init; } = [];

    /// <summary>The latest result of each of its checks.</summary>
    public IReadOnlyList<CheckFacts> Checks { get; init; } = [];

    /// <summary>Whether <see cref="Checks"/> has all of them.</summary>
    public bool AreChecksComplete { get; init; } = true;
}

/// <summary>A pipeline that writes, or wrote, a dataset.</summary>
public sealed record WriterFacts
{
    /// <summary>Empty when the run that wrote is not known.</summary>
    public required string PipelineId { get; init; }

    /// <summary>Whether it is expected to write again.</summary>
    public bool IsCurrent { get; init; } = true;

    /// <summary>A cron expression in UTC; null when the pipeline has none.</summary>
    public string? Schedule { get; init; }

    /// <summary>Times of the schedule before this one do not count.</summary>
    public DateTimeOffset RegisteredAt { get; init; }

    /// <summary>The last runs that wrote, or may have written, the dataset; in any order.</summary>
    public IReadOnlyList<WriteFacts> Writes { get; init; } = [];
}

/// <summary>A run that wrote, or may have written, a dataset.</summary>
public sealed record WriteFacts
{
    public required string RunId { get; init; }

    /// <summary>A word of RunStatus; null when the run is not known.</summary>
    public string? Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The end of the run, or the last time at which it was heard of.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>The latest result of a check.</summary>
public sealed record CheckFacts
{
    /// <summary>The shown id of the dataset.</summary>
    public string Dataset { get; init; } = "";

    /// <summary>Empty for a standalone check.</summary>
    public string PipelineId { get; init; } = "";

    public required string CheckId { get; init; }

    /// <summary>A word of CheckStatus.</summary>
    public required string Status { get; init; }

    /// <summary>A word of CheckSeverity.</summary>
    public required string Severity { get; init; }

    public string? RunId { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }
}
