using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Events;

namespace Catalog.Data.Dbt;

/// <summary>
/// Reads the age of each source in sources.json as a check result. The check's id is <c>freshness.</c> followed by the
/// unique_id of the source.
/// </summary>
internal static class DbtFreshness
{
    private const int MaxMessage = 65_536;

    public static void Read(EventReportBuilder report, DbtGraph graph, JsonElement sources)
    {
        var metadata = sources.Object("metadata");
        var invocation = metadata?.Text("invocation_id", JobId.MaxLength) ?? "";
        var at = (metadata is { } own ? DbtRun.Time(report, own, "generated_at") : null) ?? report.At;
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var result in sources.Items("results"))
        {
            if (result.Text("unique_id") is not { } id || !seen.Add(id))
            {
                report.Unread("event", "sources", UnreadReason.Invalid);
            }
            else if (StatusOf(result) is not { } status)
            {
                report.Unread("event", "sources", UnreadReason.Unknown);
            }
            else
            {
                Add(report, graph, result, id, status, invocation, at);
            }
        }
    }

    /// <summary>The id of the check of a source.</summary>
    public static string CheckIdOf(string source) => JobId.Shorten($"freshness.{source}");

    // For a source, "error" means that its age is above error_after; "runtime error" means that the query failed.
    private static string? StatusOf(JsonElement result) => result.Text("status")?.ToLowerInvariant() switch
    {
        "pass" => CheckStatus.Pass,
        "warn" => CheckStatus.Warn,
        "error" or "fail" => CheckStatus.Fail,
        "runtime error" => CheckStatus.Error,
        _ => null,
    };

    private static void Add(EventReportBuilder report, DbtGraph graph, JsonElement result, string id, string status, string invocation,
        DateTimeOffset at)
    {
        var checkId = CheckIdOf(id);
        var hash = DbtTestResults.Hash(report, $"{checkId}\0{invocation}", "freshness");
        var age = result.TryGetProperty("max_loaded_at_time_ago_in_s", out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var seconds) && double.IsFinite(seconds) ? value : (JsonElement?)null;
        report.Result(new CheckResult
        {
            Id = DbtTestResults.IdOf(hash),
            PipelineId = report.PipelineId,
            CheckId = checkId,
            // A result names the run only when the invocation of the run measured it. So a result of another invocation
            // cannot fail the run.
            RunId = invocation == report.RunId ? report.RunId : null,
            Status = status,
            Severity = CheckSeverity.Error,
            Dataset = graph.Find(id)?.Dataset?.ShownId,
            ObservedValue = age?.GetRawText(),
            ObservedNumber = age?.GetDouble(),
            Expected = result.Object("criteria") is { } criteria && criteria.GetRawText().Length <= 16_384
                ? CanonicalJson.Text(criteria) : null,
            Message = result.Text("error", MaxMessage),
            ExecutedAt = DbtRun.Time(report, result, "snapshotted_at") ?? at,
            DurationSeconds = DbtRun.Seconds(result, "execution_time"),
            Metadata = JsonSerializer.Serialize(new { unique_id = id, max_loaded_at = result.Text("max_loaded_at", 100) }),
            RequestHash = hash,
            CreatedAt = report.ReceivedAt,
        });
    }
}
