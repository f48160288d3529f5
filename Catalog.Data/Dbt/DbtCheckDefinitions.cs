using System.Text;
using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Events;

namespace Catalog.Data.Dbt;

/// <summary>
/// Reads the tests, the unit tests and the freshness limits of sources in the manifest as check definitions. The kind
/// of a generic test is its name, after the name of its package when it has one: <c>package.name</c>. The ids are the
/// same as for the results that <see cref="DbtTestResults"/> and <see cref="DbtFreshness"/> read.
/// </summary>
internal static class DbtCheckDefinitions
{
    public const string SingularTest = "dbt.singular_test";
    public const string UnitTest = "dbt.unit_test";
    public const string SourceFreshness = "dbt.source_freshness";

    private const int MaxName = 127;
    // The limit is the same as for a definition that a client sends (PostCheck.Params).
    private const int MaxParameters = 64 * 1024;

    // Arguments of a test that the definition contains in other fields.
    private static readonly string[] Given = ["model", "column_name"];

    // Members of the configuration of a test that decide its result.
    private static readonly string[] Conditions = ["where", "fail_calc", "error_if", "warn_if"];

    /// <summary>The definitions, in any order.</summary>
    /// <param name="report">Counts the parts that are too long to be kept.</param>
    /// <param name="graph">The nodes of the manifest.</param>
    public static IEnumerable<ReportedCheck> Of(EventReportBuilder report, DbtGraph graph)
    {
        foreach (var node in graph.Nodes)
        {
            if (node.IsTest)
            {
                yield return new(JobId.Shorten(node.Id), graph.Tested(node), KindOf(node), SeverityOf(node),
                    node.Json.Text("column_name", 500), Parameters(writer => WriteTest(report, writer, node)));
            }
            else if (node.Type == "source" && node.Json.Object("freshness") is { } freshness && HasLimit(freshness))
            {
                yield return new(DbtFreshness.CheckIdOf(node.Id), node.Dataset, SourceFreshness, CheckSeverity.Error, null,
                    Parameters(writer => WriteLimits(report, writer, freshness)));
            }
        }
    }

    /// <summary>The severity of a test: error, unless its configuration says warn.</summary>
    public static string SeverityOf(DbtNode test) =>
        "warn".Equals(test.Json.Object("config")?.Text("severity"), StringComparison.OrdinalIgnoreCase)
            ? CheckSeverity.Warn : CheckSeverity.Error;

    private static string KindOf(DbtNode test)
    {
        var generic = test.Json.Object("test_metadata");
        return test.Type == "unit_test" ? UnitTest
            : generic?.Text("name", MaxName) is not { } name ? SingularTest
            : generic?.Text("namespace", MaxName) is { } package ? $"{package}.{name}"
            : name;
    }

    // For a source without limits, dbt writes an object whose members are null.
    private static bool HasLimit(JsonElement freshness) =>
        freshness.Object("warn_after")?.Count("count") is not null || freshness.Object("error_after")?.Count("count") is not null;

    private static void WriteTest(EventReportBuilder report, Utf8JsonWriter writer, DbtNode test)
    {
        HashSet<string> written = new(Given, StringComparer.Ordinal);
        foreach (var name in Conditions)
        {
            if (test.Json.Object("config")?.Text(name) is { } condition && Fits(report, writer, name, condition.Length))
            {
                writer.WriteString(name, condition);
                written.Add(name);
            }
        }

        foreach (var argument in test.Json.Object("test_metadata")?.Members("kwargs") ?? [])
        {
            if (written.Add(argument.Name) && Fits(report, writer, "kwargs", argument.Value.GetRawText().Length))
            {
                writer.WritePropertyName(StoredText.Clean(argument.Name));
                argument.Value.WriteTo(writer);
            }
        }
    }

    private static void WriteLimits(EventReportBuilder report, Utf8JsonWriter writer, JsonElement freshness)
    {
        foreach (var member in freshness.EnumerateObject())
        {
            if (Fits(report, writer, "freshness", member.Value.GetRawText().Length))
            {
                writer.WritePropertyName(StoredText.Clean(member.Name));
                member.Value.WriteTo(writer);
            }
        }
    }

    private static bool Fits(EventReportBuilder report, Utf8JsonWriter writer, string part, int length)
    {
        var fits = writer.BytesPending + writer.BytesCommitted + length <= MaxParameters;
        if (!fits)
        {
            report.Unread("event", part, UnreadReason.Limit);
        }

        return fits;
    }

    // Null when nothing is written.
    private static string? Parameters(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.Length > 2 ? Encoding.UTF8.GetString(buffer.ToArray()) : null;
    }
}
