namespace Catalog.Data.Otlp;

/// <summary>Collects the valid spans of a request and counts the others.</summary>
internal sealed class OtlpSpanList
{
    private const int MaxName = 500;
    private const int MaxMessage = 16_384;

    private readonly List<OtlpSpan> _spans = [];
    private int _rejected;

    /// <summary>
    /// Adds a span. It is rejected if its ids are not valid, or if there are already <see cref="OtlpSpans.Max"/>.
    /// </summary>
    /// <param name="traceId">The trace id, 16 bytes.</param>
    /// <param name="spanId">The span id, 8 bytes.</param>
    /// <param name="parentId">The id of the parent; empty or zeros for a span without a parent.</param>
    /// <param name="span">The span with all members except the ids, as they were sent.</param>
    public void Add(ReadOnlySpan<byte> traceId, ReadOnlySpan<byte> spanId, ReadOnlySpan<byte> parentId, OtlpSpan span)
    {
        // OpenTelemetry defines an id of zeros as invalid.
        if (traceId.Length != 16 || spanId.Length != 8 || !traceId.ContainsAnyExcept((byte)0) || !spanId.ContainsAnyExcept((byte)0)
            || _spans.Count >= OtlpSpans.Max)
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
