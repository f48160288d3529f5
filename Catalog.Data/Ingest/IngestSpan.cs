using System.Diagnostics;

namespace Catalog.Data.Ingest;

/// <summary>
/// The span of a batch. If one request of the batch has a span, that span is the parent of the batch's span. If several
/// requests have spans, the batch's span links to them.
/// </summary>
internal static class IngestSpan
{
    public static Activity? Start<TItem, TOutcome>(string queue, IReadOnlyList<IngestRequest<TItem, TOutcome>> batch)
    {
        if (!Tracing.Source.HasListeners())
        {
            return null;
        }

        var requests = batch.Select(request => request.Span).Where(span => span != default).ToList();
        return Tracing.Source.StartActivity($"ingest {queue}", ActivityKind.Internal, requests is [var alone] ? alone : default,
            [new("catalog.ingest.batch", batch.Count)], requests.Count > 1 ? requests.Select(span => new ActivityLink(span)) : null);
    }
}
