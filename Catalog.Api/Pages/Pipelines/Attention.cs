using Catalog.Api.Pages.Overview;
using Catalog.Api.Pipelines;
using Catalog.Data;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pages.Pipelines;

/// <summary>The pipelines that fail or are late. The page shows them above the list of all pipelines.</summary>
/// <param name="Pipelines">
/// The failing pipelines, then the late ones; at most <see cref="AttentionReader.Most"/>.
/// </param>
/// <param name="HasMore">Whether further pipelines fail or are late.</param>
public sealed record Attention(IReadOnlyList<PipelineItem> Pipelines, bool HasMore);

/// <summary>Reads the pipelines that fail or are late. The cost does not depend on the number of pipelines.</summary>
internal sealed class AttentionReader(
    FailingPipelines failing, PipelineRepository pipelines, OverviewCache overview, TimeProvider time)
{
    /// <summary>The maximum number of pipelines.</summary>
    public const int Most = 20;

    public async Task<Attention> Read(string organization, CancellationToken ct)
    {
        var failed = await failing.Find(organization, Most + 1, ct);
        var late = (await overview.Late(organization, ct)).Pipelines.Select(pipeline => pipeline.PipelineId);
        var worst = failed.Union(late, StringComparer.Ordinal).Take(Most + 1).ToList();
        var shown = worst.Take(Most).ToList();
        if (shown.Count == 0)
        {
            return new([], false);
        }

        var rows = (await pipelines.List(organization, new() { Ids = shown }, null, Most, ct)).Items
            .ToDictionary(pipeline => pipeline.Id, PipelineItem.From, StringComparer.Ordinal);
        var now = time.Now();
        // The cached list of late pipelines may be older. Since then a pipeline may have run or been deleted.
        return new([.. shown.Where(rows.ContainsKey).Select(id => rows[id]).Where(pipeline => NeedsAttention(pipeline, now))],
            worst.Count > Most);
    }

    private static bool NeedsAttention(PipelineItem pipeline, DateTimeOffset now) =>
        pipeline.LatestRun?.Status == "failed" || pipeline.OpenFailures > 0 || Lateness.Since(pipeline, now) is not null;
}
