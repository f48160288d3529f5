using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Data.Checks;
using Catalog.Data.Events;
using Catalog.Data.Runs;

namespace Catalog.Data.Dbt;

/// <summary>
/// Reads the results of tests and unit tests as check results. The check's id is the unique_id of the test.
/// </summary>
internal static partial class DbtTestResults
{
    private const int MaxMessage = 65_536;

    public static void Read(EventReportBuilder report, DbtGraph graph, DbtNode node, StageReport stage, JsonElement result)
    {
        if (!node.IsTest)
        {
            return;
        }

        switch (result.Text("status")?.ToLowerInvariant())
        {
            case "pass" or "passed":
                Add(report, graph, node, stage, result, CheckStatus.Pass);
                break;
            case "warn":
                Add(report, graph, node, stage, result, CheckStatus.Warn);
                break;
            case "fail":
                Add(report, graph, node, stage, result, CheckStatus.Fail);
                break;
            // The SQL of the test failed, so nothing is known about the data.
            case "error" or "runtime error":
                Add(report, graph, node, stage, result, CheckStatus.Error);
                break;
            case "skipped" or "no-op" or "reused":
                break;
            // The status success means that dbt compiled the test and did not run it. All other statuses are unknown.
            default:
                report.Unread("run", "test", UnreadReason.Invalid);
                break;
        }
    }

    private static void Add(EventReportBuilder report, DbtGraph graph, DbtNode node, StageReport stage, JsonElement result, string status)
    {
        var config = node.Json.Object("config");
        var failures = Failures(result);
        var checkId = JobId.Shorten(node.Id);
        var hash = Hash(report, checkId, "test");
        report.Result(new CheckResult
        {
            Id = IdOf(hash),
            PipelineId = report.PipelineId,
            CheckId = checkId,
            RunId = report.RunId,
            Status = status,
            Severity = DbtCheckDefinitions.SeverityOf(node),
            Dataset = graph.Tested(node)?.ShownId,
            ObservedValue = failures?.ToString(CultureInfo.InvariantCulture),
            ObservedNumber = failures,
            Expected = Expected(config),
            FailedRows = failures,
            Message = result.Text("message", MaxMessage),
            ExecutedAt = stage.CompletedAt ?? report.At,
            DurationSeconds = DbtRun.Seconds(result, "execution_time"),
            Metadata = Metadata(node),
            RequestHash = hash,
            CreatedAt = report.ReceivedAt,
        });
    }

    /// <summary>
    /// The hash of a result. It depends only on the run and the check, because a test runs only once in a run.
    /// </summary>
    internal static byte[] Hash(EventReportBuilder report, string checkId, string kind) => SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\0', "dbt", kind, report.PipelineId, report.RunId, checkId)));

    internal static string IdOf(byte[] hash) => new Guid(hash.AsSpan(0, 16), bigEndian: true).ToString();

    // Before version 2 of run_results, only the message contains the number. The message is "Got 3 results, expected
    // 0." or only the number.
    private static long? Failures(JsonElement result)
    {
        if (result.Count("failures") is { } failures)
        {
            return failures;
        }

        if (result.Count("message") is { } number)
        {
            return number;
        }

        var match = GotResults().Match(result.Text("message", 200) ?? "");
        return match.Success && long.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? count : null;
    }

    private static string? Expected(JsonElement? config)
    {
        var (errorIf, warnIf) = (config?.Text("error_if", 500), config?.Text("warn_if", 500));
        return errorIf is null && warnIf is null ? null : JsonSerializer.Serialize(new { error_if = errorIf, warn_if = warnIf });
    }

    private static string Metadata(DbtNode node)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("unique_id", node.Id);
            var test = node.Json.Object("test_metadata");
            Write("test", test?.Text("name", 500));
            Write("package", test?.Text("namespace", 500));
            Write("column", node.Json.Text("column_name", 500));
            Write("where", node.Json.Object("config")?.Text("where", 4000));
            if (test?.Object("kwargs") is { } arguments && arguments.GetRawText().Length <= 16_384)
            {
                writer.WritePropertyName("arguments");
                arguments.WriteTo(writer);
            }

            writer.WriteEndObject();

            void Write(string name, string? text)
            {
                if (text is not null)
                {
                    writer.WriteString(name, text);
                }
            }
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    [GeneratedRegex(@"^(?:Got )?([0-9]{1,18})(?:$| results?\b)")]
    private static partial Regex GotResults();
}
