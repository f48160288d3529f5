using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Data.Events;

namespace Catalog.Data.Dbt;

/// <summary>The artifacts of one upload, as dbt writes them to its folder <c>target</c>.</summary>
public sealed partial record DbtArtifacts
{
    private const int MaxBodyCharacters = 32 * 1024 * 1024;

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The content of manifest.json; null when it is not sent, which is an error.</summary>
    public JsonElement? Manifest { get; init; }

    /// <summary>The content of run_results.json; null when it is not sent, which is an error.</summary>
    public JsonElement? RunResults { get; init; }

    /// <summary>The content of sources.json; null when it is not sent.</summary>
    public JsonElement? Sources { get; init; }

    /// <summary>The content of catalog.json; null when it is not sent.</summary>
    public JsonElement? Catalog { get; init; }

    /// <summary>The namespace of the datasets; null for the one that <see cref="DbtGraph"/> derives.</summary>
    public string? Namespace { get; init; }

    /// <summary>Reads the artifacts.</summary>
    /// <param name="receivedAt">When the artifacts were received.</param>
    /// <returns>The event; or, when an artifact is missing or invalid, the errors by JSON pointer.</returns>
    public (LoggedEvent? Event, Dictionary<string, string[]>? Errors) Read(DateTimeOffset receivedAt)
    {
        var errors = Errors();
        if (errors.Count > 0)
        {
            return (null, errors);
        }

        var digest = Digest();
        var body = Body();
        if (body.Length > MaxBodyCharacters)
        {
            return (null, new()
            {
                ["/manifest"] = [$"is too large: the artifacts without their SQL must have at most {MaxBodyCharacters} characters."]
            });
        }

        using var kept = JsonDocument.Parse(body, new() { MaxDepth = 80 });
        return (new LoggedEvent
        {
            Dialect = EventDialect.Dbt,
            Digest = digest,
            Body = body,
            ReceivedAt = receivedAt,
            Report = DbtReportReader.Read(kept.RootElement, receivedAt, digest),
        }, null);
    }

    /// <summary>
    /// The version of an artifact: the number in the address of its schema. Null when the artifact is another file.
    /// </summary>
    /// <param name="artifact">The artifact.</param>
    /// <param name="kind">The expected name in the address of the schema.</param>
    internal static int? Version(JsonElement artifact, string kind)
    {
        var match = SchemaAddress().Match(artifact.Object("metadata")?.Text("dbt_schema_version") ?? "");
        return match.Success && match.Groups["kind"].Value == kind
            ? int.Parse(match.Groups["version"].Value, CultureInfo.InvariantCulture) : null;
    }

    private Dictionary<string, string[]> Errors()
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        Check(errors, "manifest", Manifest, "manifest", "nodes", isRequired: true);
        Check(errors, "run_results", RunResults, "run-results", "results", isRequired: true);
        Check(errors, "sources", Sources, "sources", "results", isRequired: false);
        Check(errors, "catalog", Catalog, "catalog", "nodes", isRequired: false);
        if (Namespace is { Length: > 500 })
        {
            errors["/namespace"] = ["has more than 500 characters."];
        }

        if (RunResults is { } results && results.Object("metadata")?.Text("invocation_id") is { } run && JobId.RunIdError(run) is { } error)
        {
            errors["/run_results/metadata/invocation_id"] = [error];
        }

        return errors;
    }

    private static void Check(Dictionary<string, string[]> errors, string name, JsonElement? artifact, string kind, string content,
        bool isRequired)
    {
        if (artifact is not { ValueKind: not JsonValueKind.Null } json)
        {
            if (isRequired)
            {
                errors[$"/{name}"] = [$"is required: the content of target/{name}.json of dbt."];
            }

            return;
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            errors[$"/{name}"] = [$"must be an object: the content of target/{name}.json of dbt."];
        }
        else if (Version(json, kind) is null)
        {
            errors[$"/{name}/metadata/dbt_schema_version"] =
                [$"must be https://schemas.getdbt.com/dbt/{kind}/v….json: send target/{name}.json of dbt as {name}."];
        }
        else if (!json.TryGetProperty(content, out var items)
            || items.ValueKind != (content == "nodes" ? JsonValueKind.Object : JsonValueKind.Array))
        {
            errors[$"/{name}/{content}"] = [$"is required: {(content == "nodes" ? "an object" : "an array")}."];
        }
    }

    // The digest is built from the ids of invocations, not from content. If a file of another invocation, such as
    // catalog.json, is added to a known run, the upload is a new event of that run.
    private byte[] Digest()
    {
        var run = RunResults!.Value;
        var key = run.Object("metadata")?.Text("invocation_id") ?? Convert.ToHexString(CanonicalJson.Hash(run));
        return SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', key, IdOf(Sources), IdOf(Catalog))));

        static string? IdOf(JsonElement? artifact) => artifact is not { ValueKind: JsonValueKind.Object } json ? null
            : json.Object("metadata")?.Text("invocation_id") ?? Convert.ToHexString(CanonicalJson.Hash(json));
    }

    private string Body()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            writer.WriteStartObject();
            if (Namespace is not null)
            {
                writer.WriteString("namespace", Namespace);
            }

            writer.WritePropertyName("manifest");
            WriteManifest(writer, Manifest!.Value);
            Write(writer, "run_results", RunResults, KeptMembers.RunResults);
            Write(writer, "sources", Sources, KeptMembers.Sources);
            Write(writer, "catalog", Catalog, KeptMembers.Catalog);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Write(Utf8JsonWriter writer, string name, JsonElement? artifact, KeptMembers kept)
    {
        if (artifact is { ValueKind: JsonValueKind.Object } json)
        {
            writer.WritePropertyName(name);
            kept.Write(writer, json);
        }
    }

    // Writes the kept members of the manifest. Also writes the names of the parts that are not read, so that the report
    // can count these parts.
    private static void WriteManifest(Utf8JsonWriter writer, JsonElement manifest)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("artifact");
        KeptMembers.Manifest.Write(writer, manifest);
        writer.WriteStartArray("unread");
        foreach (var name in DbtReportReader.UnreadParts.Where(name => manifest.Members(name).Any()))
        {
            writer.WriteStringValue(name);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    [GeneratedRegex(@"^https://schemas\.getdbt\.com/dbt/(?<kind>[a-z-]+)/v(?<version>[1-9][0-9]{0,2})\.json$")]
    private static partial Regex SchemaAddress();
}
