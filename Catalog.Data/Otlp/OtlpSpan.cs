using System.Text.Json;

namespace Catalog.Data.Otlp;

/// <summary>A span of OTLP, with the attributes that the Catalog uses.</summary>
public sealed record OtlpSpan
{
    /// <summary>The id of the trace: 32 hexadecimal digits in lower case.</summary>
    public required string TraceId { get; init; }

    /// <summary>The id of the span: 16 hexadecimal digits in lower case.</summary>
    public required string SpanId { get; init; }

    /// <summary>Whether the span has no parent.</summary>
    public required bool IsRoot { get; init; }

    public required string Name { get; init; }

    /// <summary>The instrumentation scope; empty when it has no name.</summary>
    public required string Scope { get; init; }

    /// <summary>
    /// The dbt project that the resource names, otherwise the service that it names; empty when it names neither.
    /// </summary>
    public required string Project { get; init; }

    /// <summary>The start in nanoseconds since 1970; 0 when it is unknown.</summary>
    public required ulong Start { get; init; }

    /// <summary>The end in nanoseconds since 1970; 0 when it is unknown.</summary>
    public required ulong End { get; init; }

    /// <summary>Whether the status is an error.</summary>
    public required bool IsError { get; init; }

    public required string StatusMessage { get; init; }

    /// <summary>The known attributes by name.</summary>
    public required IReadOnlyDictionary<string, string> Attributes { get; init; }
}

/// <summary>The spans of one request.</summary>
/// <param name="Spans">The valid spans.</param>
/// <param name="Rejected">
/// The number of rejected spans: invalid spans, and spans above the maximum of a request.
/// </param>
public sealed record OtlpSpans(IReadOnlyList<OtlpSpan> Spans, int Rejected)
{
    /// <summary>The maximum number of spans in a request.</summary>
    public const int Max = 50_000;
}

/// <summary>Collects the known attributes of a span or a resource, including those inside other attributes.</summary>
internal sealed class OtlpAttributes
{
    /// <summary>The attribute of a resource that names the dbt project.</summary>
    public const string ProjectName = "dbt.project_name";

    public const string ServiceName = "service.name";

    private const int MaxText = 4096;

    // The value of this attribute is a list of attributes, or a text with their JSON object.
    private const string Detail = "node_outcome_detail";

    private static readonly HashSet<string> Known =
    [
        "unique_id", "phase", "node_outcome", "node_skip_reason", "test_outcome", "failing_rows", "rows_affected", "event_type",
        ProjectName, ServiceName,
    ];

    private readonly SortedDictionary<string, string> _values = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>
    /// The dbt project that a resource names, otherwise the service that it names; empty when it names neither.
    /// </summary>
    public string Project => _values.GetValueOrDefault(ProjectName) ?? _values.GetValueOrDefault(ServiceName) ?? "";

    public void Add(string key, string value)
    {
        if (value.Length == 0)
        {
            return;
        }

        if (Known.Contains(key))
        {
            _values.TryAdd(key, Clean(value, MaxText));
        }
        else if (key == Detail && value.StartsWith('{') && value.Length <= MaxText)
        {
            AddJson(value);
        }
    }

    /// <summary>Cuts a text, and replaces the character NUL, which Postgres cannot store.</summary>
    public static string Clean(string text, int most) => StoredText.Cut(StoredText.Clean(text), most);

    private void AddJson(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text, new() { MaxDepth = 8 });
            AddMembers(json.RootElement);
        }
        catch (JsonException)
        {
            // The text is not JSON. The other attributes still say what the node did.
        }
    }

    private void AddMembers(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (var member in json.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Object)
            {
                AddMembers(member.Value);
            }
            else if (json.Text(member.Name) is { } text)
            {
                Add(member.Name, text);
            }
            else if (member.Value.ValueKind == JsonValueKind.Number)
            {
                Add(member.Name, member.Value.GetRawText());
            }
        }
    }
}
