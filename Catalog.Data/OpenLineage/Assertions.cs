using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Events;

namespace Catalog.Data.OpenLineage;

/// <summary>
/// Reads check results: the dataQualityAssertions facet of datasets and the test facet of runs. If several events with
/// different times report the same assertion, each report is a separate result.
/// </summary>
internal static class Assertions
{
    private const int MaxMessage = 65_536;

    /// <summary>Reads the assertions about a dataset.</summary>
    public static void Read(EventReportBuilder report, DatasetName dataset, JsonElement facet)
    {
        foreach (var item in facet.Items("assertions"))
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("success", out var success)
                || success.ValueKind is not (JsonValueKind.True or JsonValueKind.False)
                || (item.Text("name") ?? item.Text("assertion")) is null)
            {
                report.Unread("dataset", "dataQualityAssertions", UnreadReason.Invalid);
                continue;
            }

            Add(report, item, $"{NameOf(item)} on {dataset.ShownId}", dataset, success.ValueKind == JsonValueKind.True);
        }
    }

    /// <summary>Reads the tests of a run. A skipped test has no result.</summary>
    public static void ReadTests(EventReportBuilder report, JsonElement facet)
    {
        foreach (var item in facet.Items("tests"))
        {
            switch (item.Text("status")?.ToUpperInvariant(), item.Text("name"))
            {
                case ("PASS" or "FAIL", { } name):
                    Add(report, item, name, null, item.Text("status")!.Equals("pass", StringComparison.OrdinalIgnoreCase));
                    break;
                case ("SKIP", not null):
                    break;
                default:
                    report.Unread("run", "test", UnreadReason.Invalid);
                    break;
            }
        }
    }

    private static void Add(EventReportBuilder report, JsonElement item, string checkId, DatasetName? dataset, bool passed)
    {
        checkId = JobId.Shorten(checkId);
        var severity = "warn".Equals(item.Text("severity"), StringComparison.OrdinalIgnoreCase) ? CheckSeverity.Warn : CheckSeverity.Error;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0',
            report.PipelineId, report.RunId, checkId, report.At.UtcTicks.ToString(null, null), CanonicalJson.Text(item))));
        report.Result(new CheckResult
        {
            Id = new Guid(hash.AsSpan(0, 16), bigEndian: true).ToString(),
            PipelineId = report.PipelineId,
            CheckId = checkId,
            RunId = report.RunId,
            Status = passed ? CheckStatus.Pass : severity == CheckSeverity.Warn ? CheckStatus.Warn : CheckStatus.Fail,
            Severity = severity,
            Dataset = dataset?.ShownId,
            ObservedValue = item.Json("actual"),
            ObservedNumber = item.TryGetProperty("actual", out var actual) && actual.ValueKind == JsonValueKind.Number
                && actual.TryGetDouble(out var number) && double.IsFinite(number) ? number : null,
            Expected = item.Json("expected"),
            Message = item.Text("description", MaxMessage),
            ExecutedAt = report.At,
            Metadata = CanonicalJson.Text(item, "success", "status", "severity", "description", "actual", "expected", "name"),
            RequestHash = hash,
            CreatedAt = report.ReceivedAt,
        });
    }

    // Two assertions can have the same kind and column and differ only in their parameters, so the name contains a hash
    // of the parameters.
    private static string NameOf(JsonElement item)
    {
        if (item.Text("name") is { } name)
        {
            return name;
        }

        var kind = item.Text("column") is { } column ? $"{item.Text("assertion")}({column})" : item.Text("assertion")!;
        return item.Object("params") is { } parameters
            ? $"{kind} {Convert.ToHexStringLower(CanonicalJson.Hash(parameters).AsSpan(0, 4))}" : kind;
    }
}
