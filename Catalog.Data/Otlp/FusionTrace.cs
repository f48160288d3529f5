using System.Globalization;
using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Dbt;
using Catalog.Data.Events;
using Catalog.Data.OpenLineage;
using Catalog.Data.Runs;

namespace Catalog.Data.Otlp;

/// <summary>
/// Reads the spans of one invocation of dbt Fusion from one request: its run, a stage for each node, and the results of
/// tests. An exporter sends an invocation in several requests. The span of the invocation ends the run.
/// </summary>
internal static class FusionTrace
{
    private const int MaxName = 500;

    public static EventReport Read(JsonElement json, DateTimeOffset receivedAt, byte[] digest)
    {
        var latest = receivedAt + OpenLineageEvent.MaxAhead;
        List<FusionSpan> spans = [.. json.Items("spans").Select(span => new FusionSpan(span, latest))];
        var report = new EventReportBuilder(spans.Max(span => span.End ?? span.Start) ?? receivedAt, receivedAt)
        {
            MaxResults = DbtRun.MaxStages,
            ResultPart = ("run", "results"),
        };
        // The trace id of Fusion is the id of the invocation without hyphens.
        var id = Guid.ParseExact(json.Text("trace_id")!, "N").ToString();
        var project = json.Text("project", MaxName)!;
        report.Job = new(JobId.Of("dbt", project), "dbt", project, []);
        report.RunId = id;
        List<StageReport> stages = [];
        foreach (var node in spans.Where(span => span.UniqueId is not null).GroupBy(span => span.UniqueId!, StringComparer.Ordinal))
        {
            if (stages.Count >= DbtRun.MaxStages)
            {
                report.Unread("run", "results", UnreadReason.Limit);
                break;
            }

            // The span of the whole node is preferred, then a span that executed the node, then the span that ended
            // last.
            var best = node.OrderByDescending(span => span.IsWhole).ThenByDescending(span => span.IsExecution)
                .ThenByDescending(span => span.End).First();
            if (best.Status is not { } status)
            {
                report.Unread("run", "node_outcome", UnreadReason.Unknown);
                continue;
            }

            stages.Add(Stage(node, best, status));
            AddResult(report, best, JobId.Shorten(node.Key));
        }

        var run = Fields(spans, stages);
        report.RunEvents.Add(RunEventFactory.Of(id, report.PipelineId, digest, run));
        report.Runs.Add(new(id, report.PipelineId, run.Status == RunStatus.Completed, null, null, null));
        return report.Build();
    }

    private static StageReport Stage(IGrouping<string, FusionSpan> node, FusionSpan best, string status) => new()
    {
        StageName = JobId.Shorten(node.Key),
        Status = status,
        StartedAt = best.IsWhole ? best.Start : node.Min(span => span.Start),
        CompletedAt = status == RunStatus.Running ? null : best.End,
        RecordsProcessed = best.RowsAffected ?? node.Max(span => span.RowsAffected),
        ErrorMessage = status == RunStatus.Failed ? best.Message : null,
    };

    private static RunFields Fields(IReadOnlyList<FusionSpan> spans, IReadOnlyList<StageReport> stages)
    {
        if (spans.FirstOrDefault(span => FusionSpan.IsInvocation(span.Name) && span.End is not null) is not { } invocation)
        {
            return new() { Status = RunStatus.Running, StartedAt = spans.Min(span => span.Start), Stages = stages };
        }

        return new()
        {
            Status = invocation.IsError ? RunStatus.Failed : RunStatus.Completed,
            StartedAt = invocation.Start,
            CompletedAt = invocation.End,
            ErrorMessage = invocation.IsError ? invocation.Message : null,
            Stages = stages,
        };
    }

    // A test without a test outcome did not run. Its node outcome "success" is only about its SQL, so no result is
    // stored.
    private static void AddResult(EventReportBuilder report, FusionSpan span, string checkId)
    {
        var status = (span.TestOutcome ?? span.Outcome) switch
        {
            "passed" or "pass" => CheckStatus.Pass,
            "warned" or "warn" => CheckStatus.Warn,
            "failed" or "fail" => CheckStatus.Fail,
            "error" => CheckStatus.Error,
            _ => null,
        };
        if (status is null
            || !(checkId.StartsWith("test.", StringComparison.Ordinal) || checkId.StartsWith("unit_test.", StringComparison.Ordinal)))
        {
            return;
        }

        // If the artifacts of the same run report this result too, both have the same id, so it is stored once.
        var hash = DbtTestResults.Hash(report, checkId, "test");
        report.Result(new CheckResult
        {
            Id = DbtTestResults.IdOf(hash),
            PipelineId = report.PipelineId,
            CheckId = checkId,
            RunId = report.RunId,
            Status = status,
            Severity = status == CheckStatus.Warn ? CheckSeverity.Warn : CheckSeverity.Error,
            ObservedValue = span.FailingRows?.ToString(CultureInfo.InvariantCulture),
            ObservedNumber = span.FailingRows,
            FailedRows = span.FailingRows,
            Message = span.Message,
            ExecutedAt = span.End ?? report.At,
            DurationSeconds = span.End - span.Start is { } duration && duration >= TimeSpan.Zero ? duration.TotalSeconds : null,
            Metadata = JsonSerializer.Serialize(new { unique_id = checkId }),
            RequestHash = hash,
            CreatedAt = report.ReceivedAt,
        });
    }
}
