namespace Catalog.Data.Checks;

/// <summary>The words of check results, as they are stored.</summary>
public static class CheckStatus
{
    public const string Pass = "pass";
    public const string Warn = "warn";
    public const string Fail = "fail";

    /// <summary>Could not be evaluated: nothing is known about the data.</summary>
    public const string Error = "error";

    public static IReadOnlyList<string> All { get; } = [Pass, Warn, Fail, Error];

    /// <summary>
    /// Every word that clients may write, in any letter case, with the one that is stored for it: our own, and those of Great Expectations, dbt,
    /// Soda and Dagster. A check that was skipped has no result, so there is no word for it.
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

/// <summary>How much a failed check matters.</summary>
public static class CheckSeverity
{
    /// <summary>The default: a failure marks its run failed.</summary>
    public const string Error = "error";

    /// <summary>A failure is recorded and stops nothing.</summary>
    public const string Warn = "warn";

    public static IReadOnlyList<string> All { get; } = [Error, Warn];
}

/// <summary>One result of one check.</summary>
public sealed record CheckResult
{
    public required string Id { get; init; }
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

    /// <summary>A JSON document as sent, or null.</summary>
    public string? Metadata { get; init; }

    /// <summary>SHA-256 of the canonical result as sent: the same id with another hash is another result.</summary>
    public byte[] RequestHash { get; init; } = [];

    /// <summary>When it was received.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The id comes from an idempotency key: when another result has it, nothing of the request is stored (<see cref="ResultOutcome.KeyReused"/>).</summary>
    public bool IdIsDerived { get; init; }

    /// <summary>Whether it marks its run failed.</summary>
    internal bool ClosesGate => this is { RunId: not null, Status: CheckStatus.Fail, Severity: CheckSeverity.Error };
}

/// <summary>A check whose last result was a failure.</summary>
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

/// <summary>What became of a result.</summary>
public enum ResultOutcome
{
    /// <summary>It is on disk.</summary>
    Stored,

    /// <summary>The same result was stored before.</summary>
    Duplicate,

    /// <summary>No such pipeline; nothing was stored.</summary>
    PipelineUnknown,

    /// <summary>The run belongs to another pipeline; nothing was stored.</summary>
    RunIdTaken,

    /// <summary>Another result has this id; nothing was stored.</summary>
    IdTaken,

    /// <summary>The id comes from an idempotency key that came with another request before; nothing of this request was stored.</summary>
    KeyReused,
}

/// <summary>Which results to list. Null does not filter.</summary>
public sealed record CheckResultFilter
{
    public string? PipelineId { get; init; }
    public string? CheckId { get; init; }
    public string? RunId { get; init; }
    public string? Dataset { get; init; }
    public string? Status { get; init; }
    public string? Severity { get; init; }

    /// <summary>Executed at or after.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Executed before.</summary>
    public DateTimeOffset? Until { get; init; }
}
