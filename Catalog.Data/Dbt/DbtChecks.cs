using System.Text;
using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Events;
using Catalog.Data.OpenLineage;

namespace Catalog.Data.Dbt;

/// <summary>
/// The tests and unit tests of the manifest, and the freshness of its sources as check definitions. The kind of a
/// generic test is its name, with its package when it has one. The ids are those of <see cref="DbtTests"/> and
/// <see cref="DbtFreshness"/>.
/// </summary>
internal static class DbtChecks
{
    public const string SingularTest = "dbt.singular_test";
    public const string UnitTest = "dbt.unit_test";
    public const string SourceFreshness = "dbt.source_freshness";

    private const int MaxName = 200;
    private const int MaxParameters = 16_384;
    private const int MaxCondition = 4000;

    // Arguments that other fields of the definition have.
    private static readonly string[] Given = ["model", "column_name"];

    // Those of a test that decide its result.
    private static readonly string[] Conditions = ["where", "fail_calc", "error_if", "warn_if"];

    /// <summary>The definitions, in any order.</summary>
    public static IEnumerable<ReportedCheck> Of(DbtGraph graph)
    {
        foreach (var node in graph.Nodes)
        {
            if (node.IsTest)
            {
                yield return new(JobId.Shorten(node.Id), graph.Tested(node), KindOf(node), SeverityOf(node),
                    node.Json.Text("column_name", 500), Parameters(writer => WriteTest(writer, node)));
            }
            else if (node.Type == "source" && node.Json.Object("freshness") is { } freshness && HasLimit(freshness))
            {
                yield return new(DbtFreshness.CheckIdOf(node.Id), node.Dataset, SourceFreshness, CheckSeverity.Error, null,
                    Parameters(writer => WriteMembers(writer, freshness)));
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

    // dbt writes a source without limits as an object of nulls.
    private static bool HasLimit(JsonElement freshness) =>
        freshness.Object("warn_after")?.Count("count") is not null || freshness.Object("error_after")?.Count("count") is not null;

    private static void WriteTest(Utf8JsonWriter writer, DbtNode test)
    {
        var config = test.Json.Object("config");
        if (test.Json.Object("test_metadata")?.Object("kwargs") is { } arguments)
        {
            WriteMembers(writer, arguments);
        }

        foreach (var name in Conditions)
        {
            if (config?.Text(name, MaxCondition) is { } condition)
            {
                writer.WriteString(name, condition);
            }
        }
    }

    private static void WriteMembers(Utf8JsonWriter writer, JsonElement json)
    {
        foreach (var member in json.EnumerateObject().Where(member => !Given.Contains(member.Name, StringComparer.Ordinal)
            && !Conditions.Contains(member.Name, StringComparer.Ordinal)))
        {
            writer.WritePropertyName(StoredText.Clean(member.Name));
            member.Value.WriteTo(writer);
        }
    }

    // Null without any, or when they are longer than a definition should be.
    private static string? Parameters(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.Length is > 2 and <= MaxParameters ? Encoding.UTF8.GetString(buffer.ToArray()) : null;
    }
}
