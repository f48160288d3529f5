namespace Catalog.Data.Pipelines;

/// <summary>A pipeline in a list, with its latest run and open failures.</summary>
public sealed record Pipeline
{
    public required string Id { get; init; }

    /// <summary>The current version.</summary>
    public required string Version { get; init; }

    public string? Description { get; init; }
    public string? Owner { get; init; }
    public string? Environment { get; init; }
    public string? Schedule { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>How many of its checks failed when they were last executed.</summary>
    public int OpenFailures { get; init; }

    public string? RunId { get; init; }
    public string? RunStatus { get; init; }
    public DateTimeOffset? RunCreatedAt { get; init; }
    public DateTimeOffset? RunStartedAt { get; init; }
    public DateTimeOffset? RunCompletedAt { get; init; }

    /// <summary>Sorted.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>One version of a pipeline.</summary>
public sealed record PipelineVersion
{
    public required string Version { get; init; }

    /// <summary>The body as sent.</summary>
    public required string Body { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether it is the one that counts now.</summary>
    public required bool Current { get; init; }
}

/// <summary>Which pipelines to list. Null does not filter.</summary>
public sealed record PipelineFilter
{
    public string? Id { get; init; }
    public string? Owner { get; init; }
    public string? Tag { get; init; }
    public string? Environment { get; init; }

    /// <summary>Text to find in name, description or owner, in any case.</summary>
    public string? Search { get; init; }
}

/// <summary>A pipeline to register.</summary>
public sealed record NewPipeline
{
    public required string Id { get; init; }
    public required string Version { get; init; }

    /// <summary>The body as sent.</summary>
    public required string Body { get; init; }

    /// <summary>SHA-256 of the canonical body without its version.</summary>
    public required byte[] BodyHash { get; init; }

    public string? Description { get; init; }
    public string? Owner { get; init; }
    public string? Environment { get; init; }
    public string? Schedule { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];
    public IReadOnlyList<NewCheck> Checks { get; init; } = [];

    /// <summary>Names of datasets, from upstream to downstream, each pair once.</summary>
    public IReadOnlyList<(string From, string To)> Edges { get; init; } = [];
}

/// <summary>A check that comes with a pipeline.</summary>
public sealed record NewCheck
{
    public required string Id { get; init; }
    public string? Dataset { get; init; }
    public string? ConnectionId { get; init; }
    public string? Kind { get; init; }

    /// <summary>error or warn.</summary>
    public required string Severity { get; init; }

    /// <summary>The definition as sent.</summary>
    public required string Definition { get; init; }
}

/// <summary>What became of a registration.</summary>
/// <param name="Outcomes">For each pipeline, in the order given.</param>
/// <param name="Ceiling">The ceiling of the plan that was met, so that none was registered; otherwise null.</param>
public sealed record RegistrationResult(RegistrationOutcome[] Outcomes, Organizations.CeilingReached? Ceiling);

/// <summary>What became of a pipeline that was posted.</summary>
public enum RegistrationOutcome
{
    /// <summary>A new version, or a deleted pipeline that is back.</summary>
    Created,

    /// <summary>The current version again: nothing changed.</summary>
    Unchanged,

    /// <summary>An earlier version again: it is current once more.</summary>
    Reactivated,

    /// <summary>The version exists with another body; nothing was stored.</summary>
    VersionTaken,
}
