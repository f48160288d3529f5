using System.Diagnostics;

namespace Catalog.Data.Ingest;

/// <summary>
/// The span of a batch. A request that is written alone is its parent; the requests of a shared commit are its links.
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
