using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Catalog.Api.Http;
using Catalog.Api.Runs;
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

    /// <summary>The tags, sorted.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a version was last registered or reactivated.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The run that started last, or null when there is none.</summary>
    public LatestRun? LatestRun { get; init; }

    /// <summary>The number of checks whose latest result is a failure.</summary>
    public required int OpenFailures { get; init; }

    /// <summary>When the pipeline was deleted; left out when it is not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? DeletedAt { get; init; }

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
        DeletedAt = row.DeletedAt,
    };
}

/// <summary>A pipeline: the fields of its body, unchanged, and the fields that the service adds.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record PipelineDetail : PipelineSpec
{
    /// <summary>The id, which is the <c>name</c> in the body.</summary>
    public required string Id { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a version was last registered or reactivated.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The run that started last, or null when there is none.</summary>
    public LatestRun? LatestRun { get; init; }

    /// <summary>The number of checks whose latest result is a failure.</summary>
    public required int OpenFailures { get; init; }
}

/// <summary>The latest run of a pipeline.</summary>
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

    /// <summary>Whether this is the current version.</summary>
    public required bool Current { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The request body, unchanged.</summary>
    public required RawJson Body { get; init; }

    internal static PipelineVersionItem From(PipelineVersion row) =>
        new() { Version = row.Version, Current = row.Current, CreatedAt = row.CreatedAt, Body = new(row.Body) };
}

/// <summary>The outcome of a registration of several pipelines.</summary>
public sealed record Registrations
{
    /// <summary>One item for each pipeline, in the order of the request.</summary>
    public required IReadOnlyList<RegistrationReceipt> Items { get; init; }
}

/// <summary>The outcome for one pipeline.</summary>
public sealed record RegistrationReceipt
{
    public required string Id { get; init; }
    public required string Version { get; init; }

    /// <summary>created, unchanged, or reactivated (an earlier version is current again).</summary>
    public required string Outcome { get; init; }
}

/// <summary>Filters of a list of pipelines.</summary>
public sealed record PipelineQuery : CountedListQuery
{
    internal override string List => "pipelines";

    /// <summary>Only pipelines with this owner.</summary>
    public string? Owner { get; init; }

    /// <summary>Only pipelines with this tag.</summary>
    public string? Tag { get; init; }

    /// <summary>Only pipelines in this environment.</summary>
    public string? Environment { get; init; }

    /// <summary>
    /// Only pipelines whose latest run has this status, or one of several statuses separated by commas, such as
    /// <c>failed,running</c>. For each page, 10,000 pipelines are examined. So a page may have few or no items and
    /// still have a next_cursor, and <c>count</c> is the number of matches among the newest 10,000 pipelines.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>Only pipelines whose name, description or owner contains this text, ignoring case.</summary>
    public string? Q { get; init; }

    /// <summary><c>true</c> lists the deleted pipelines, with <c>deleted_at</c>, instead of the others.</summary>
    public bool? Deleted { get; init; }

    /// <summary>
    /// <c>export</c> returns a plain array of all current bodies, unchanged, instead of a page. POST accepts that
    /// array. Filters do not apply.
    /// </summary>
    public string? Format { get; init; }

    internal PipelineFilter ToFilter() => new()
    {
        Owner = Owner,
        Tag = Tag,
        Environment = Environment,
        Statuses = Status is null ? null : RunStatusFilter.Read(Status),
        Search = Q,
        Deleted = Deleted is true,
    };
}

/// <summary>The query parameters of the list of pipeline versions.</summary>
public sealed record PipelineVersionQuery : ListQuery
{
    internal override string List => "pipeline_versions";
}

internal static class PipelineBodies
{
    // The fields that the service adds to a body in an answer. A posted body with the last two fields is such an answer
    // that a client has sent back.
    private static readonly string[] AddedFields = ["id", "created_at", "updated_at", "latest_run", "open_failures"];

    /// <summary>Creates the row to store from a spec and the JSON that the spec was read from.</summary>
    public static NewPipeline ToPipeline(PipelineSpec spec, JsonElement json)
    {
        var isAnswer = json.TryGetProperty("latest_run", out _) && json.TryGetProperty("open_failures", out _);
        var hash = CanonicalJson.Hash(json, isAnswer ? ["version", .. AddedFields] : ["version"]);
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

    /// <summary>Writes the version, the unchanged fields of the body, and the fields that the service adds.</summary>
    public static ReadOnlyMemory<byte> WithItem(PipelineVersion version, PipelineItem item) =>
        Write(version, JsonSerializer.SerializeToElement(item, ApiJson.Options));

    /// <summary>Writes the version and the unchanged fields of the body.</summary>
    public static ReadOnlyMemory<byte> WithVersion(PipelineVersion version) => Write(version, null);

    private static ReadOnlyMemory<byte> Write(PipelineVersion version, JsonElement? item)
    {
        using var json = JsonDocument.Parse(version.Body);
        var buffer = new ArrayBufferWriter<byte>(version.Body.Length + 64);
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = ApiJson.Options.Encoder }))
        {
            writer.WriteStartObject();
            writer.WriteString("version", version.Version);
            foreach (var member in json.RootElement.EnumerateObject()
                .Where(member => !member.NameEquals("version") && (item is null || !AddedFields.Contains(member.Name))))
            {
                writer.WritePropertyName(member.Name);
                writer.WriteRawValue(member.Value.GetRawText(), skipInputValidation: true);
            }

            foreach (var member in item?.EnumerateObject().Where(member => AddedFields.Contains(member.Name)) ?? [])
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
