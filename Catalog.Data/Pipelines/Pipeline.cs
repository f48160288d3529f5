using Catalog.Data.Schedules;

namespace Catalog.Data.Pipelines;

/// <summary>A registered pipeline with its latest run and the number of its open failures.</summary>
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

    /// <summary>When the pipeline was deleted; null when it is not deleted.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>The number of checks whose latest result is a failure.</summary>
    public int OpenFailures { get; init; }

    public string? RunId { get; init; }
    public string? RunStatus { get; init; }
    public DateTimeOffset? RunCreatedAt { get; init; }
    public DateTimeOffset? RunStartedAt { get; init; }
    public DateTimeOffset? RunCompletedAt { get; init; }

    /// <summary>The tags, sorted.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>One version of a pipeline.</summary>
public sealed record PipelineVersion
{
    /// <summary>
    /// The version of a pipeline that is known only from events, and of the checks that events define.
    /// </summary>
    public const string Reported = "reported";

    public required string Version { get; init; }

    /// <summary>The request body, unchanged.</summary>
    public required string Body { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether this is the current version.</summary>
    public required bool Current { get; init; }
}

/// <summary>Filters of a list of pipelines. A null field does not filter.</summary>
public sealed record PipelineFilter
{
    public string? Id { get; init; }

    /// <summary>The ids, at most 100.</summary>
    public IReadOnlyList<string>? Ids { get; init; }

    public string? Owner { get; init; }
    public string? Tag { get; init; }
    public string? Environment { get; init; }

    /// <summary>Words of RunStatus. A pipeline matches when its last started run has one of these statuses.</summary>
    public IReadOnlyList<string>? Statuses { get; init; }

    /// <summary>Selects the deleted pipelines instead of the others.</summary>
    public bool Deleted { get; init; }

    /// <summary>Text that the id, the description or the owner contains, ignoring case.</summary>
    public string? Search { get; init; }
}

/// <summary>A pipeline to register.</summary>
public sealed record NewPipeline
{
    public required string Id { get; init; }
    public required string Version { get; init; }

    /// <summary>The request body, unchanged.</summary>
    public required string Body { get; init; }

    /// <summary>SHA-256 of the canonical body without its version (<see cref="CanonicalJson"/>).</summary>
    public required byte[] BodyHash { get; init; }

    public string? Description { get; init; }
    public string? Owner { get; init; }
    public string? Environment { get; init; }
    public string? Schedule { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];
    public IReadOnlyList<NewCheck> Checks { get; init; } = [];

    /// <summary>Pairs of dataset names, from upstream to downstream, without duplicates.</summary>
    public IReadOnlyList<(string From, string To)> Edges { get; init; } = [];
}

/// <summary>A check that a pipeline body defines.</summary>
public sealed record NewCheck
{
    public required string Id { get; init; }
    public string? Dataset { get; init; }
    public string? ConnectionId { get; init; }
    public string? Kind { get; init; }

    /// <summary>error or warn.</summary>
    public required string Severity { get; init; }

    /// <summary>The JSON of the check in the request body, unchanged.</summary>
    public required string Definition { get; init; }

    /// <summary>Whether the check has a schedule and a connection, so that the Catalog executes it.</summary>
    public bool IsScheduled(DateTimeOffset now) => CheckSchedules.IsScheduled(new("", Id, ConnectionId, Definition), now);
}

/// <summary>The result of a registration.</summary>
/// <param name="Outcomes">One outcome for each pipeline, in the order of the request.</param>
/// <param name="Ceiling">The limit of the plan that prevented the registration; otherwise null.</param>
public sealed record RegistrationResult(RegistrationOutcome[] Outcomes, Organizations.CeilingReached? Ceiling);

/// <summary>The outcome for one posted pipeline.</summary>
public enum RegistrationOutcome
{
    /// <summary>A new version, or a deleted pipeline that was restored.</summary>
    Created,

    /// <summary>The version is already current; nothing changed.</summary>
    Unchanged,

    /// <summary>An earlier version, which is now current again.</summary>
    Reactivated,

    /// <summary>The version already exists with a different body; nothing was stored.</summary>
    VersionTaken,
}
