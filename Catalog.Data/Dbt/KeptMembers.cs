using System.Text.Json;

namespace Catalog.Data.Dbt;

/// <summary>
/// The members of the artifacts that are read. The log keeps only these members, because a manifest has many megabytes
/// of SQL and macros, and because the arguments and variables of a command can contain secrets.
/// </summary>
internal sealed class KeptMembers
{
    private static readonly KeptMembers Whole = new();

    private static readonly KeptMembers Ids = Of(
        "generated_at", "invocation_id", "invocation_started_at", "dbt_schema_version", "dbt_version");

    private static readonly KeptMembers Columns = Each(Of("name", "description", "data_type"));

    private static readonly KeptMembers Owner = Of("name", "email", "owner");

    private static readonly KeptMembers Node = Of(
        "resource_type", "package_name", "database", "schema", "alias", "identifier", "name", "description", "tags", "column_name",
        "attached_node", "file_key_name", "type", "model", "freshness")
        .With("meta", Owner)
        .With("owner", Owner)
        .With("columns", Columns)
        .With("depends_on", Of("nodes"))
        .With("test_metadata", Of("name", "namespace", "kwargs"))
        .With("config", Of("materialized", "severity", "warn_if", "error_if", "fail_calc", "where", "limit", "tags").With("meta", Owner));

    private static readonly KeptMembers CatalogNode = new KeptMembers()
        .With("columns", Each(Of("name", "type", "index", "comment")))
        .With("stats", new KeptMembers().With("num_rows", Of("value")).With("row_count", Of("value")));

    private readonly Dictionary<string, KeptMembers> _members = new(StringComparer.Ordinal);
    private KeptMembers? _each;

    public static KeptMembers Manifest { get; } = new KeptMembers()
        .With("metadata", Of(
            "generated_at", "invocation_id", "dbt_schema_version", "dbt_version", "adapter_type", "project_name", "project_id"))
        .With("nodes", Each(Node))
        .With("sources", Each(Node))
        .With("exposures", Each(Node))
        .With("unit_tests", Each(Node));

    public static KeptMembers RunResults { get; } = Of("elapsed_time")
        .With("metadata", Ids)
        .With("args", Of("which", "target", "select"))
        .With("results", Each(
            Of("unique_id", "status", "execution_time", "message", "failures", "fail")
                .With("timing", Each(Of("name", "started_at", "completed_at")))
                .With("adapter_response", Of("rows_affected"))));

    public static KeptMembers Sources { get; } = new KeptMembers()
        .With("metadata", Ids)
        .With("results", Each(Of("unique_id", "status", "max_loaded_at", "snapshotted_at", "max_loaded_at_time_ago_in_s", "error",
            "execution_time", "criteria")));

    public static KeptMembers Catalog { get; } = new KeptMembers()
        .With("metadata", Ids)
        .With("nodes", Each(CatalogNode))
        .With("sources", Each(CatalogNode));

    /// <summary>
    /// Writes the kept members of a value. A value of another type than expected is written as null, so that nothing
    /// large is kept for it.
    /// </summary>
    public void Write(Utf8JsonWriter writer, JsonElement json)
    {
        if (_each is null && _members.Count == 0)
        {
            json.WriteTo(writer);
        }
        else if (_each is not null && json.ValueKind == JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (var item in json.EnumerateArray())
            {
                _each.Write(writer, item);
            }

            writer.WriteEndArray();
        }
        else if (json.ValueKind == JsonValueKind.Object)
        {
            writer.WriteStartObject();
            foreach (var member in json.EnumerateObject())
            {
                if ((_each ?? _members.GetValueOrDefault(member.Name)) is { } kept)
                {
                    writer.WritePropertyName(member.Name);
                    kept.Write(writer, member.Value);
                }
            }

            writer.WriteEndObject();
        }
        // An owner can also be a text or a list instead of an object.
        else if (ReferenceEquals(this, Owner))
        {
            json.WriteTo(writer);
        }
        else
        {
            writer.WriteNullValue();
        }
    }

    private static KeptMembers Of(params string[] names)
    {
        var kept = new KeptMembers();
        foreach (var name in names)
        {
            kept._members[name] = Whole;
        }

        return kept;
    }

    private static KeptMembers Each(KeptMembers each) => new() { _each = each };

    private KeptMembers With(string name, KeptMembers kept)
    {
        _members[name] = kept;
        return this;
    }
}
