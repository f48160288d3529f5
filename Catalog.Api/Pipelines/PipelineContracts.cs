using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Pipelines;

namespace Catalog.Api.Pipelines;

/// <summary>A pipeline in a list.</summary>
public sealed record PipelineItem
{
    public required string Id { get; init; }

    /// <summary>The current version.</summary>
    public required string Version { get; init; }

    public string? Description { get; init; }
    public string? Owner { get; init; }
    public string? Environment { get; init; }
    public string? Schedule { get; init; }

    /// <summary>Sorted.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a version was last registered.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The run that was created last, or null when there is none.</summary>
    public LatestRun? LatestRun { get; init; }

    /// <summary>How many of its checks failed when they were last executed.</summary>
    public required int OpenFailures { get; init; }

    internal static PipelineItem From(Pipeline row) => new()
    {
        Id = row.Id,
        Version = row.Version,
        Description = row.Description,
        Owner = row.Owner,
        Environment = row.Environment,
        Schedule = row.Schedule,
        Tags = row.Tags,
        CreatedAt = row.CreatedAt,
        UpdatedAt = row.UpdatedAt,
        LatestRun = row.RunId is null ? null : new()
        {
            Id = row.RunId,
            Status = row.RunStatus!,
            CreatedAt = row.RunCreatedAt!.Value,
            StartedAt = row.RunStartedAt,
            CompletedAt = row.RunCompletedAt,
        },
        OpenFailures = row.OpenFailures,
    };
}

/// <summary>A pipeline: its body's fields as sent, and beside them what the list shows that no body decides.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record PipelineDetail : PipelineSpec
{
    /// <summary>Its id, which is the body's <c>name</c>.</summary>
    public required string Id { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a version was last registered.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The run that was created last, or null when there is none.</summary>
    public LatestRun? LatestRun { get; init; }

    /// <summary>How many of its checks failed when they were last executed.</summary>
    public required int OpenFailures { get; init; }
}

/// <summary>A pipeline's latest run.</summary>
public sealed record LatestRun
{
    public required string Id { get; init; }
    public required string Status { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
}

/// <summary>One version of a pipeline.</summary>
public sealed record PipelineVersionItem
{
    public required string Version { get; init; }

    /// <summary>Whether it is the one that counts now.</summary>
    public required bool Current { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The body as it was sent.</summary>
    public required RawJson Body { get; init; }

    internal static PipelineVersionItem From(PipelineVersion row) =>
        new() { Version = row.Version, Current = row.Current, CreatedAt = row.CreatedAt, Body = new(row.Body) };
}

/// <summary>What became of each of many pipelines.</summary>
public sealed record Registrations
{
    /// <summary>In the order of the request.</summary>
    public required IReadOnlyList<RegistrationReceipt> Items { get; init; }
}

/// <summary>What became of one of many pipelines.</summary>
public sealed record RegistrationReceipt
{
    public required string Id { get; init; }
    public required string Version { get; init; }

    /// <summary>created, unchanged, or reactivated: an earlier version is current again.</summary>
    public required string Outcome { get; init; }
}

/// <summary>Which pipelines to list.</summary>
public sealed record PipelineQuery : ListQuery
{
    internal override string List => "pipelines";

    /// <summary>Only pipelines of this owner.</summary>
    public string? Owner { get; init; }

    /// <summary>Only pipelines that have this tag.</summary>
    public string? Tag { get; init; }

    /// <summary>Only pipelines of this environment.</summary>
    public string? Environment { get; init; }

    /// <summary>Only pipelines with this text in name, description or owner, in any case.</summary>
    public string? Q { get; init; }

    /// <summary><c>export</c>: instead of a page, a bare array of all current bodies as sent, which POST takes back. Filters do not apply.</summary>
    public string? Format { get; init; }

    internal PipelineFilter ToFilter() => new() { Owner = Owner, Tag = Tag, Environment = Environment, Search = Q };
}

/// <summary>Which versions of a pipeline to list.</summary>
public sealed record PipelineVersionQuery : ListQuery
{
    internal override string List => "pipeline_versions";
}

internal static class PipelineBodies
{
    // What an answer shows of a pipeline that its body does not decide. A body that has the last two is an answer that was sent back.
    private static readonly string[] Ours = ["id", "created_at", "updated_at", "latest_run", "open_failures"];

    /// <summary>What is stored for a spec and the JSON that it was read from.</summary>
    public static NewPipeline ToPipeline(PipelineSpec spec, JsonElement json)
    {
        var answer = json.TryGetProperty("latest_run", out _) && json.TryGetProperty("open_failures", out _);
        var hash = CanonicalJson.Hash(json, answer ? ["version", .. Ours] : ["version"]);
        return new()
        {
            Id = spec.Name!,
            Version = spec.VersionText() ?? Convert.ToHexStringLower(hash.AsSpan(0, 16)),
            Body = json.GetRawText(),
            BodyHash = hash,
            Description = spec.Description,
            Owner = spec.Owner,
            Environment = spec.Environment,
            Schedule = spec.Schedule,
            Tags = [.. (spec.Tags ?? []).OfType<string>()],
            Checks = [.. (spec.Checks ?? []).OfType<CheckSpec>().Zip(Elements(json, "checks"), (check, element) => new NewCheck
            {
                Id = check.Id!,
                Dataset = check.Dataset,
                ConnectionId = check.ConnectionId,
                Kind = check.Kind,
                Severity = check.Severity ?? CheckSeverity.Error,
                Definition = element.GetRawText(),
            })],
            Edges = [.. spec.AllEdges().Select(edge => (edge.From!, edge.To!)).Distinct()],
        };
    }

    /// <summary>The version, the body's fields as sent, and what the list shows that no body decides.</summary>
    public static ReadOnlyMemory<byte> WithItem(PipelineVersion version, PipelineItem item) => Write(version, JsonSerializer.SerializeToElement(item, ApiJson.Options));

    /// <summary>The body's fields as sent, with the version first.</summary>
    public static ReadOnlyMemory<byte> WithVersion(PipelineVersion version) => Write(version, null);

    private static ReadOnlyMemory<byte> Write(PipelineVersion version, JsonElement? item)
    {
        using var json = JsonDocument.Parse(version.Body);
        var buffer = new ArrayBufferWriter<byte>(version.Body.Length + 64);
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = ApiJson.Options.Encoder }))
        {
            writer.WriteStartObject();
            writer.WriteString("version", version.Version);
            foreach (var member in json.RootElement.EnumerateObject().Where(member => !member.NameEquals("version") && (item is null || !Ours.Contains(member.Name))))
            {
                writer.WritePropertyName(member.Name);
                writer.WriteRawValue(member.Value.GetRawText(), skipInputValidation: true);
            }

            foreach (var member in item?.EnumerateObject().Where(member => Ours.Contains(member.Name)) ?? [])
            {
                member.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static IEnumerable<JsonElement> Elements(JsonElement json, string member) =>
        json.TryGetProperty(member, out var array) && array.ValueKind == JsonValueKind.Array ? array.EnumerateArray() : [];
}
