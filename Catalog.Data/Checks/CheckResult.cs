namespace Catalog.Data.Checks;

/// <summary>The stored status words of check results.</summary>
public static class CheckStatus
{
    public const string Pass = "pass";
    public const string Warn = "warn";
    public const string Fail = "fail";

    /// <summary>The check could not be evaluated: the result says nothing about the data.</summary>
    public const string Error = "error";

    public static IReadOnlyList<string> All { get; } = [Pass, Warn, Fail, Error];

    /// <summary>
    /// Maps each word that clients may send, in any letter case, to the stored word. Contains our own words and those
    /// of Great Expectations, dbt, Soda and Dagster. A skipped check has no result, so there is no word for it.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Words { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        [Pass] = Pass,
        ["passed"] = Pass,
        ["success"] = Pass,
        ["succeeded"] = Pass,
        ["ok"] = Pass,
        [Warn] = Warn,
        ["warned"] = Warn,
        ["warning"] = Warn,
        [Fail] = Fail,
        ["failed"] = Fail,
        ["failure"] = Fail,
        [Error] = Error,
        ["errored"] = Error,
        ["runtime error"] = Error,
        ["not_evaluated"] = Error,
        ["notevaluated"] = Error,
    };
}

/// <summary>The stored severity words of checks and results.</summary>
public static class CheckSeverity
{
    /// <summary>
    /// A failure marks its run as failed, unless an event of the run has switched its gate off. This is the default
    /// severity.
    /// </summary>
    public const string Error = "error";

    /// <summary>A failure is recorded and does not change the run.</summary>
    public const string Warn = "warn";

    public static IReadOnlyList<string> All { get; } = [Error, Warn];
}

/// <summary>One result of a check.</summary>
public sealed record CheckResult
{
    public required string Id { get; init; }

    /// <summary>Empty for an executed standalone check.</summary>
    public required string PipelineId { get; init; }

    public required string CheckId { get; init; }
    public string? RunId { get; init; }

    /// <summary>A word of <see cref="CheckStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>A word of <see cref="CheckSeverity"/>.</summary>
    public required string Severity { get; init; }

    public string? Dataset { get; init; }

    /// <summary>Any JSON value, as sent; null when none was sent.</summary>
    public string? ObservedValue { get; init; }

    /// <summary>The observed value when it is a finite number, otherwise null.</summary>
    public double? ObservedNumber { get; init; }

    /// <summary>Any JSON value, as sent; null when none was sent.</summary>
    public string? Expected { get; init; }

    public long? FailedRows { get; init; }
    public long? TotalRows { get; init; }
    public string? Message { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }
    public double? DurationSeconds { get; init; }

    /// <summary>A JSON document, as sent; null when none was sent.</summary>
    public string? Metadata { get; init; }

    /// <summary>
    /// SHA-256 of the canonical form of the JSON that the client sent. A result with the same id and another hash is a
    /// different result.
    /// </summary>
    public byte[] RequestHash { get; init; } = [];

    /// <summary>When the result was received.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>
    /// Whether the id is derived from an idempotency key. When a different result with such an id is already stored,
    /// nothing of the request is stored (<see cref="ResultOutcome.KeyReused"/>).
    /// </summary>
    public bool IdIsDerived { get; init; }

    /// <summary>Whether the result closes the gate of its run.</summary>
    internal bool ClosesGate => this is { RunId: not null, Status: CheckStatus.Fail, Severity: CheckSeverity.Error };
}

/// <summary>The fields of a result that a chart shows.</summary>
public sealed record ResultPoint
{
    public required string Id { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }

    /// <summary>A word of <see cref="CheckStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>The observed value when it is a finite number, otherwise null.</summary>
    public double? ObservedNumber { get; init; }
}

/// <summary>A check whose latest result is a failure, with fields of that result.</summary>
public sealed record OpenFailure
{
    public required string PipelineId { get; init; }
    public required string CheckId { get; init; }
    public required string ResultId { get; init; }
    public required string Severity { get; init; }
    public string? Dataset { get; init; }
    public string? Message { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }
}

/// <summary>The outcome of storing a result.</summary>
public enum ResultOutcome
{
    /// <summary>The result is stored and committed.</summary>
    Stored,

    /// <summary>The same result was stored before.</summary>
    Duplicate,

    /// <summary>The pipeline is not registered; the result is not stored.</summary>
    PipelineUnknown,

    /// <summary>The run belongs to another pipeline; the result is not stored.</summary>
    RunIdTaken,

    /// <summary>Another result has this id; this result is not stored.</summary>
    IdTaken,

    /// <summary>The idempotency key was used before with another request; nothing of this request is stored.</summary>
    KeyReused,
}

/// <summary>Selects results to list. A null field does not filter.</summary>
public sealed record CheckResultFilter
{
    public string? PipelineId { get; init; }
    public string? CheckId { get; init; }
    public string? RunId { get; init; }
    public string? Dataset { get; init; }
    public string? Status { get; init; }
    public string? Severity { get; init; }

    /// <summary>Selects results that were executed at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Selects results that were executed before this time.</summary>
    public DateTimeOffset? Until { get; init; }
}
