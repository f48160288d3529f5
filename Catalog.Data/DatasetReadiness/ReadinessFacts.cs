namespace Catalog.Data.DatasetReadiness;

/// <summary>What is known about a dataset when a consumer wants to read it.</summary>
public sealed record ReadinessFacts
{
    /// <summary>The shown id.</summary>
    public required string Dataset { get; init; }

    /// <summary>The number of hops upstream of the dataset that was asked for.</summary>
    public int Depth { get; init; }

    public IReadOnlyList<WriterFacts> Writers { get; init; } = [];

    /// <summary>The latest result of each check of the dataset.</summary>
    public IReadOnlyList<CheckFacts> Checks { get; init; } = [];

    /// <summary>Whether <see cref="Checks"/> contains the results of all checks of the dataset.</summary>
    public bool AreChecksComplete { get; init; } = true;
}

/// <summary>A pipeline that writes, or wrote, a dataset.</summary>
public sealed record WriterFacts
{
    /// <summary>Empty when the run that wrote is not known.</summary>
    public required string PipelineId { get; init; }

    /// <summary>Whether the pipeline is expected to write the dataset again.</summary>
    public bool IsCurrent { get; init; } = true;

    /// <summary>A cron expression in UTC; null when the pipeline has no schedule.</summary>
    public string? Schedule { get; init; }

    /// <summary>When the pipeline was registered. Earlier times of the schedule are ignored.</summary>
    public DateTimeOffset RegisteredAt { get; init; }

    /// <summary>The last runs that wrote the dataset or possibly wrote it, in any order.</summary>
    public IReadOnlyList<WriteFacts> Writes { get; init; } = [];
}

/// <summary>A run that wrote a dataset or possibly wrote it.</summary>
public sealed record WriteFacts
{
    public required string RunId { get; init; }

    /// <summary>A word of RunStatus; null when the run is not known.</summary>
    public string? Status { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>
    /// The end of the run; if it has no end, its start or its arrival. When an event reports the write at a later time,
    /// it is that time.
    /// </summary>
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
