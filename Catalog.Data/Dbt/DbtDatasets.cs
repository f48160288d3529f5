using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Catalog.Data.Events;

namespace Catalog.Data.Dbt;

/// <summary>Reads what the manifest and the catalog say about datasets, as facets of OpenLineage.</summary>
internal static class DbtDatasets
{
    private const int MaxColumns = 5000;
    private const int MaxTags = 100;
    private const int MaxText = 65_536;

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Read(EventReportBuilder report, DbtGraph graph, JsonElement? catalog)
    {
        var listed = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in catalog is { } json ? json.Members("nodes").Concat(json.Members("sources")) : [])
        {
            listed[StoredText.Clean(member.Name)] = member.Value;
        }

        foreach (var node in graph.Nodes.Where(node => node.Dataset is not null))
        {
            JsonElement? known = listed.TryGetValue(node.Id, out var value) ? value : null;
            ReadSchema(report, node, known);
            ReadDocumentation(report, node);
            ReadOwners(report, node);
            ReadTags(report, node);
            ReadType(report, node);
            ReadRows(report, node, known);
        }
    }

    private static void ReadSchema(EventReportBuilder report, DbtNode node, JsonElement? catalog)
    {
        // Column names are compared without letter case, because some warehouses change the letter case: then the names
        // in the catalog differ from those in the manifest.
        var described = node.Json.Members("columns").Take(MaxColumns)
            .Select(column => (Name: Name(column), Json: column.Value)).Where(column => column.Name.Length > 0)
            .DistinctBy(column => column.Name, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(column => column.Name, column => column.Json, StringComparer.OrdinalIgnoreCase);
        var columns = catalog is { } json && json.Members("columns").Any()
            ? json.Members("columns").OrderBy(column => column.Value.Count("index") ?? long.MaxValue).Take(MaxColumns)
                .Select(column => (Name: Name(column), Type: column.Value.Text("type", 500),
                    Text: (described.TryGetValue(Name(column), out var own) ? own.Text("description", MaxText) : null)
                        ?? column.Value.Text("comment", MaxText)))
                .ToList()
            : described.Select(column => (
                Name: column.Key, Type: column.Value.Text("data_type", 500), Text: column.Value.Text("description", MaxText))).ToList();
        if (columns.Count == 0)
        {
            return;
        }

        Keep(report, node, "schema", writer =>
        {
            writer.WriteStartArray("fields");
            foreach (var (name, type, text) in columns)
            {
                writer.WriteStartObject();
                writer.WriteString("name", name);
                WriteText(writer, "type", type);
                WriteText(writer, "description", text);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });

        static string Name(JsonProperty column) => column.Value.Text("name", 500) ?? StoredText.Clean(column.Name);
    }

    private static void ReadDocumentation(EventReportBuilder report, DbtNode node)
    {
        if (node.Json.Text("description", MaxText) is { } text)
        {
            Keep(report, node, "documentation", writer => writer.WriteString("description", text));
        }
    }

    // By convention, meta.owner names the owners: it is a text, an object with a name or an e-mail address, or a list
    // of texts and objects. An exposure has a member owner.
    private static void ReadOwners(EventReportBuilder report, DbtNode node)
    {
        List<string> owners = [.. new[] { node.Json, node.Json.Object("meta"), node.Json.Object("config")?.Object("meta") }
            .OfType<JsonElement>().SelectMany(OwnersOf).Distinct(StringComparer.Ordinal).Take(MaxTags)];
        if (owners.Count > 0)
        {
            Keep(report, node, "ownership", writer =>
            {
                writer.WriteStartArray("owners");
                owners.ForEach(owner =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("name", owner);
                    writer.WriteEndObject();
                });
                writer.WriteEndArray();
            });
        }
    }

    private static IEnumerable<string> OwnersOf(JsonElement json)
    {
        if (json.Text("owner", 500) is { } text)
        {
            return [text];
        }

        var people = json.Object("owner") is { } one ? [one] : json.Items("owner");
        return people.Select(person => person.ValueKind == JsonValueKind.String ? StoredText.Clean(person.GetString()!)
            : person.Text("name", 500) ?? person.Text("email", 500)).OfType<string>().Where(name => name.Length is > 0 and <= 500);
    }

    private static void ReadTags(EventReportBuilder report, DbtNode node)
    {
        List<string> tags = [.. node.Json.Items("tags").Where(tag => tag.ValueKind == JsonValueKind.String)
            .Select(tag => StoredText.Clean(tag.GetString()!)).Where(tag => tag.Length is > 0 and <= 256)
            .Distinct(StringComparer.Ordinal).Take(MaxTags)];
        if (tags.Count > 0)
        {
            Keep(report, node, "tags", writer =>
            {
                writer.WriteStartArray("tags");
                tags.ForEach(tag =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("key", tag);
                    writer.WriteString("value", "true");
                    writer.WriteString("source", "DBT");
                    writer.WriteEndObject();
                });
                writer.WriteEndArray();
            });
        }
    }

    private static void ReadType(EventReportBuilder report, DbtNode node)
    {
        var type = node.Type == "exposure" ? "EXPOSURE"
            : node.Type is "seed" or "snapshot" ? "TABLE"
            : node.Json.Object("config")?.Text("materialized", 100) switch
            {
                "table" or "incremental" => "TABLE",
                "view" => "VIEW",
                "materialized_view" => "MATERIALIZED_VIEW",
                _ => null,
            };
        if (type is not null)
        {
            Keep(report, node, "datasetType", writer => writer.WriteString("datasetType", type));
        }
    }

    private static void ReadRows(EventReportBuilder report, DbtNode node, JsonElement? catalog)
    {
        var stats = catalog?.Object("stats");
        var value = stats?.Object("num_rows") ?? stats?.Object("row_count");
        if (value is { } json && json.TryGetProperty("value", out var number) && number.ValueKind == JsonValueKind.Number
            && number.TryGetDouble(out var rows) && rows is >= 0 and < 9e15)
        {
            Keep(report, node, "dataQualityMetrics", writer => writer.WriteNumber("rowCount", (long)rows));
        }
    }

    private static void Keep(EventReportBuilder report, DbtNode node, string facet, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Plain))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        report.Keep(FacetSubject.Dataset, "", node.Dataset, facet, Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? text)
    {
        if (text is not null)
        {
            writer.WriteString(name, text);
        }
    }
}
