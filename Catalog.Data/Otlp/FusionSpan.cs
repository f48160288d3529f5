using System.Globalization;
using System.Text.Json;
using Catalog.Data.Runs;

namespace Catalog.Data.Otlp;

/// <summary>
/// A span of dbt Fusion. Words are read without the prefix of their protobuf names, so <c>success</c> and
/// <c>NODE_OUTCOME_SUCCESS</c> mean the same.
/// </summary>
internal sealed class FusionSpan
{
    private readonly JsonElement _span;
    private readonly JsonElement _attributes;

    /// <param name="span">A span of the logged event.</param>
    /// <param name="latest">The latest valid time. A later time is read as null.</param>
    public FusionSpan(JsonElement span, DateTimeOffset latest)
    {
        (_span, _attributes) = (span, span.GetProperty("attributes"));
        (Start, End) = (Time("start", latest), Time("end", latest));
        Outcome = Word("node_outcome", "NODE_OUTCOME_");
        SkipReason = Word("node_skip_reason", "NODE_SKIP_REASON_");
        TestOutcome = Word("test_outcome", "TEST_OUTCOME_");
        var phase = Word("phase", "EXECUTION_PHASE_");
        IsWhole = Name.StartsWith("Node processed", StringComparison.OrdinalIgnoreCase)
            || _attributes.Text("event_type")?.EndsWith("NodeProcessed", StringComparison.Ordinal) == true;
        IsExecution = IsWhole || phase is null or "run";
    }

    public DateTimeOffset? Start { get; }

    public DateTimeOffset? End { get; }

    /// <summary>success, error, skipped or canceled; null when it is not reported.</summary>
    public string? Outcome { get; }

    public string? SkipReason { get; }

    /// <summary>passed, warned or failed; null when the node is not a test or the test did not run.</summary>
    public string? TestOutcome { get; }

    /// <summary>Whether the span covers all phases of the node.</summary>
    public bool IsWhole { get; }

    /// <summary>Whether the node was executed in the span, and not only rendered or analyzed.</summary>
    public bool IsExecution { get; }

    /// <summary>The id of the node; null for the span of the invocation.</summary>
    public string? UniqueId => _attributes.Text("unique_id");

    public string Name => _span.Text("name") ?? "";

    public bool IsError => _span.TryGetProperty("is_error", out var isError) && isError.ValueKind == JsonValueKind.True;

    public string? Message => _span.Text("message");

    public long? RowsAffected => Number("rows_affected");

    public long? FailingRows => Number("failing_rows");

    /// <summary>A word of <see cref="RunStatus"/>; null when the outcome is unknown.</summary>
    public string? Status => TestOutcome == "failed" ? RunStatus.Failed : Outcome switch
    {
        // dbt skipped the node because the result of an earlier run is still valid.
        "skipped" when SkipReason == "cached" => RunStatus.Completed,
        "success" when !IsExecution => RunStatus.Running,
        null => End is null ? RunStatus.Running : null,
        var word => RunStatus.Words.GetValueOrDefault(word),
    };

    /// <summary>Whether a span belongs to dbt.</summary>
    public static bool IsOfDbt(OtlpSpan span) => IsInvocation(span.Name)
        || (span.Attributes.ContainsKey("unique_id")
            && (span.Attributes.ContainsKey("node_outcome") || span.Attributes.ContainsKey("phase")));

    /// <summary>Whether a span with this name covers the whole invocation.</summary>
    public static bool IsInvocation(string name) => name is "dbt invocation" or "dbt.invocation";

    private string? Word(string attribute, string prefix) =>
        _attributes.Text(attribute) is not { } text ? null
        : (text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? text[prefix.Length..] : text).ToLowerInvariant() switch
        {
            "unspecified" => null,
            var word => word,
        };

    private long? Number(string attribute) =>
        long.TryParse(_attributes.Text(attribute), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private DateTimeOffset? Time(string name, DateTimeOffset latest) =>
        _span.TryGetProperty(name, out var value) && value.TryGetUInt64(out var nanoseconds) && nanoseconds > 0
        && nanoseconds <= (ulong)(latest - DateTimeOffset.UnixEpoch).Ticks * 100
            ? DateTimeOffset.UnixEpoch.AddTicks((long)(nanoseconds / 100)) : null;
}
