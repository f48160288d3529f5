using System.Text.Json;
using Catalog.Data.Events;
using Catalog.Data.OpenLineage;
using Catalog.Data.Runs;

namespace Catalog.Data.Dbt;

/// <summary>
/// Reads run_results: the run, a stage for each node, what was read and written, and the results of tests.
/// </summary>
internal static class DbtRun
{
    /// <summary>The maximum number of nodes of a run.</summary>
    public const int MaxStages = 20_000;

    private const int MaxMessage = 65_536;
    private const double MaxSeconds = 366 * 86_400d;

    public static void Read(EventReportBuilder report, DbtGraph graph, JsonElement results, byte[] digest)
    {
        var id = results.Object("metadata")?.Text("invocation_id") ?? new Guid(digest.AsSpan(0, 16), bigEndian: true).ToString();
        report.RunId = id;
        Dictionary<string, StageReport> stages = new(StringComparer.Ordinal);
        HashSet<DatasetName> inputs = [];
        Dictionary<DatasetName, long?> outputs = [];
        foreach (var result in results.Items("results"))
        {
            if (result.Text("unique_id") is not { } node)
            {
                report.Unread("run", "unique_id", UnreadReason.Invalid);
            }
            else if (stages.Count >= MaxStages)
            {
                report.Unread("run", "results", UnreadReason.Limit);
                break;
            }
            else if (StatusOf(result) is not { } status)
            {
                report.Unread("run", "status", UnreadReason.Unknown);
            }
            else if (Stage(report, node, status, result) is var stage && !stages.TryAdd(stage.StageName, stage))
            {
                report.Unread("run", "unique_id", UnreadReason.Invalid);
            }
            else if (graph.Find(node) is { } known)
            {
                ReadUse(graph, known, stage, inputs, outputs);
                DbtTestResults.Read(report, graph, known, stage, result);
            }
            else
            {
                report.Unread("run", "unique_id", UnreadReason.Unknown);
            }
        }

        var run = Fields(report, results, [.. stages.Values], outputs.Values);
        report.RunEvents.Add(RunEventFactory.Of(id, report.PipelineId, digest, run));
        report.Runs.Add(new(id, report.PipelineId, run.Status == RunStatus.Completed, null, null, null));
        ReadUses(report, id, inputs, outputs);
        ReadFacets(report, id, results);
    }

    /// <summary>
    /// The time in a member; null when the member has no valid time, or one too far after the receipt.
    /// </summary>
    public static DateTimeOffset? Time(EventReportBuilder report, JsonElement json, string name) =>
        json.Time(name) is { } time && time <= report.ReceivedAt + OpenLineageEvent.MaxAhead ? time : null;

    /// <summary>The number of seconds in a member; null when it is not a number from 0 to 366 days.</summary>
    public static double? Seconds(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var seconds) && seconds is >= 0 and <= MaxSeconds ? seconds : null;

    // dbt did not execute a reused node, because the data of an earlier run is still current. So the node counts as
    // completed.
    private static string? StatusOf(JsonElement result) => result.Text("status")?.ToLowerInvariant() switch
    {
        null => null,
        "reused" => RunStatus.Completed,
        var word => RunStatus.Words.GetValueOrDefault(word),
    };

    private static StageReport Stage(EventReportBuilder report, string node, string status, JsonElement result)
    {
        var timing = result.Items("timing").ToList();
        return new()
        {
            StageName = JobId.Shorten(node),
            Status = status,
            StartedAt = timing.Select(part => Time(report, part, "started_at")).Min(),
            CompletedAt = timing.Select(part => Time(report, part, "completed_at")).Max(),
            RecordsProcessed = result.Object("adapter_response")?.Count("rows_affected"),
            ErrorMessage = status == RunStatus.Failed ? result.Text("message", MaxMessage) : null,
        };
    }

    private static RunFields Fields(EventReportBuilder report, JsonElement results, IReadOnlyList<StageReport> stages,
        IEnumerable<long?> rows)
    {
        var failed = stages.FirstOrDefault(stage => stage.Status == RunStatus.Failed);
        var written = rows.OfType<long>().ToList();
        var started = (results.Object("metadata") is { } metadata ? Time(report, metadata, "invocation_started_at") : null)
            ?? (Seconds(results, "elapsed_time") is { } seconds && report.At > DateTimeOffset.MinValue.AddSeconds(seconds)
                ? report.At.AddSeconds(-seconds) : null);
        return new()
        {
            Status = failed is null ? RunStatus.Completed : RunStatus.Failed,
            StartedAt = started <= report.At ? started : report.At,
            CompletedAt = report.At,
            RecordsProcessed = written.Count == 0 ? null
                : written.Aggregate(0L, (sum, count) => count > long.MaxValue - sum ? long.MaxValue : sum + count),
            ErrorMessage = failed is null ? null : StoredText.Cut($"{failed.StageName}: {failed.ErrorMessage ?? "failed"}", MaxMessage),
            Stages = stages,
        };
    }

    private static void ReadUse(DbtGraph graph, DbtNode node, StageReport stage, HashSet<DatasetName> inputs,
        Dictionary<DatasetName, long?> outputs)
    {
        if (stage.Status is RunStatus.Skipped or RunStatus.Cancelled || node.Type is "exposure" or "source")
        {
            return;
        }

        inputs.UnionWith(graph.Parents(node));
        if (node.Dataset is { } dataset && stage.Status == RunStatus.Completed)
        {
            outputs[dataset] = stage.RecordsProcessed;
        }
    }

    // The outputs are declared outputs, because not every input of the run is upstream of every output. The manifest
    // gives the edges.
    private static void ReadUses(EventReportBuilder report, string id, HashSet<DatasetName> inputs, Dictionary<DatasetName, long?> outputs)
    {
        foreach (var input in inputs.Where(input => !outputs.ContainsKey(input)))
        {
            report.Use(new(id, input, UseDirection.Input, null, null, null));
        }

        foreach (var (output, rows) in outputs)
        {
            report.Use(new(id, output, UseDirection.DeclaredOutput, rows, null, null));
        }
    }

    private static void ReadFacets(EventReportBuilder report, string id, JsonElement results)
    {
        var version = results.Object("metadata")?.Text("dbt_version", 100) ?? "";
        report.Keep(FacetSubject.Run, id, null, "processing_engine",
            JsonSerializer.Serialize(new { version, name = "dbt" }));
        var which = results.Object("args")?.Text("which", 100);
        var target = results.Object("args")?.Text("target", 200);
        if ((which ?? target) is not null)
        {
            report.Keep(FacetSubject.Run, id, null, "executionParameters", JsonSerializer.Serialize(new
            {
                parameters = new[] { (Key: "which", Value: which), (Key: "target", Value: target) }
                    .Where(parameter => parameter.Value is not null)
                    .Select(parameter => new { key = parameter.Key, value = parameter.Value }),
            }));
        }
    }
}
