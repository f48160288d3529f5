namespace Catalog.Data.Otlp;

/// <summary>Collects the valid spans of a request and counts the others.</summary>
internal sealed class OtlpSpanList
{
    /// <summary>The maximum number of spans in a request.</summary>
    public const int MaxSpans = 50_000;

    private const int MaxName = 500;
    private const int MaxMessage = 16_384;

    private readonly List<OtlpSpan> _spans = [];
    private int _rejected;

    /// <summary>Adds a span, unless its ids are not valid.</summary>
    /// <param name="traceId">16 bytes.</param>
    /// <param name="spanId">8 bytes.</param>
    /// <param name="parentId">8 bytes, or none.</param>
    /// <param name="span">The other members, as they were sent.</param>
    public void Add(ReadOnlySpan<byte> traceId, ReadOnlySpan<byte> spanId, ReadOnlySpan<byte> parentId, OtlpSpan span)
    {
        // OpenTelemetry defines an id of zeros as invalid.
        if (traceId.Length != 16 || spanId.Length != 8 || !traceId.ContainsAnyExcept((byte)0) || !spanId.ContainsAnyExcept((byte)0)
            || _spans.Count >= MaxSpans)
        {
            _rejected++;
            return;
        }

        _spans.Add(span with
        {
            TraceId = Convert.ToHexStringLower(traceId),
            SpanId = Convert.ToHexStringLower(spanId),
            IsRoot = !parentId.ContainsAnyExcept((byte)0),
            Name = OtlpAttributes.Clean(span.Name, MaxName),
            Scope = OtlpAttributes.Clean(span.Scope, MaxName),
            StatusMessage = OtlpAttributes.Clean(span.StatusMessage, MaxMessage),
        });
    }

    public OtlpSpans ToSpans() => new(_spans, _rejected);
}
