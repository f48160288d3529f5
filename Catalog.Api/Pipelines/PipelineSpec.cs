using System.Text.Json;
using System.Text.Json.Serialization;
using Catalog.Api.Http;

namespace Catalog.Api.Pipelines;

/// <summary>
/// The body of a pipeline (<c>pipeline.json</c>). Fields that are not listed here are stored and returned unchanged.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public record PipelineSpec
{
    /// <summary>The pipeline's id, at most 256 characters.</summary>
    public string? Name { get; init; }

    /// <summary>The version, as text or a number. Default: a hash of the body.</summary>
    public RawJson? Version { get; init; }

    /// <summary>The purpose of the pipeline.</summary>
    public string? Description { get; init; }

    /// <summary>The person or team that is responsible for the pipeline.</summary>
    public string? Owner { get; init; }

    /// <summary>The environment of the pipeline, such as production.</summary>
    public string? Environment { get; init; }

    /// <summary>
    /// The schedule of the pipeline in UTC: a cron expression of five fields (minute, hour, day of month, month, day of
    /// week), which may use L, W and #; or @hourly, @daily, @weekly, @monthly, @yearly.
    /// </summary>
    public string? Schedule { get; init; }

    /// <summary>Tags to filter pipelines by.</summary>
    public IReadOnlyList<string?>? Tags { get; init; }

    /// <summary>The sources that the pipeline reads.</summary>
    public IReadOnlyList<SourceSpec?>? Sources { get; init; }

    /// <summary>The steps of the pipeline between sources and targets.</summary>
    public IReadOnlyList<TransformSpec?>? Transforms { get; init; }

    /// <summary>The targets that the pipeline writes.</summary>
    public IReadOnlyList<TargetSpec?>? Targets { get; init; }

    /// <summary>The checks of the pipeline.</summary>
    public IReadOnlyList<CheckSpec?>? Checks { get; init; }

    /// <summary>The lineage between datasets. Only the given edges are stored; none are inferred.</summary>
    public LineageSpec? Lineage { get; init; }

    /// <summary>Lineage edges at the top level of the body. They are added to the edges in <c>lineage</c>.</summary>
    public IReadOnlyList<EdgeSpec?>? Edges { get; init; }

    internal IEnumerable<EdgeSpec> AllEdges() => [.. (Lineage?.Edges ?? []).OfType<EdgeSpec>(), .. (Edges ?? []).OfType<EdgeSpec>()];

    /// <summary>The version as text, or null when there is none.</summary>
    internal string? VersionText() => RawJson.Stored(Version) is not { } text ? null
        : text.StartsWith('"') ? JsonSerializer.Deserialize<string>(text) : text;
}

/// <summary>A source or a target of a pipeline.</summary>
public abstract record EndpointSpec
{
    /// <summary>The id, unique among the sources or among the targets of the pipeline.</summary>
    public string? Id { get; init; }

    /// <summary>The kind of system, such as postgres.</summary>
    public string? Type { get; init; }

    /// <summary>The id of a connection, which does not have to be registered.</summary>
    public string? ConnectionRef { get; init; }

    /// <summary>The table, file or other object: its name, or a JSON object that describes it.</summary>
    public RawJson? Object { get; init; }
}

/// <summary>A source that a pipeline reads.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record SourceSpec : EndpointSpec
{
    /// <summary>full or incremental; incremental requires a watermark column.</summary>
    public string? LoadMode { get; init; }

    /// <summary>The column by which an incremental load finds new rows.</summary>
    public string? WatermarkColumn { get; init; }
}

/// <summary>A target that a pipeline writes.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record TargetSpec : EndpointSpec
{
    /// <summary>How rows are written; merge requires a primary key.</summary>
    public string? WriteMode { get; init; }

    /// <summary>The columns that identify a row.</summary>
    public IReadOnlyList<string?>? PrimaryKey { get; init; }
}

/// <summary>A step between sources and targets.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record TransformSpec
{
    /// <summary>The id, unique among the transforms of the pipeline.</summary>
    public string? Id { get; init; }

    /// <summary>Ids of sources or other transforms, or names of outputs of transforms.</summary>
    public IReadOnlyList<string?>? Inputs { get; init; }

    /// <summary>Names that other transforms can use as inputs.</summary>
    public IReadOnlyList<string?>? Outputs { get; init; }

    /// <summary>The location of the transform's code.</summary>
    public string? CodeRef { get; init; }

    /// <summary>The SQL of the transform, as text or as a path to a file.</summary>
    public string? Sql { get; init; }
}

/// <summary>A check that a pipeline defines.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record CheckSpec
{
    /// <summary>The id, unique among the checks of the pipeline.</summary>
    public string? Id { get; init; }

    /// <summary>The SQL of the check, as text or as a path to a file.</summary>
    public string? Sql { get; init; }

    /// <summary>error (the default) or warn.</summary>
    public string? Severity { get; init; }

    /// <summary>The kind of check.</summary>
    public string? Kind { get; init; }

    /// <summary>The dataset that the check examines.</summary>
    public string? Dataset { get; init; }

    /// <summary>The id of the connection on which the check is executed.</summary>
    public string? ConnectionId { get; init; }
}

/// <summary>The lineage of a pipeline.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record LineageSpec
{
    /// <summary>The edges, each from upstream to downstream.</summary>
    public IReadOnlyList<EdgeSpec?>? Edges { get; init; }
}

/// <summary>One edge between two datasets.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record EdgeSpec
{
    /// <summary>The upstream dataset.</summary>
    public string? From { get; init; }

    /// <summary>The downstream dataset.</summary>
    public string? To { get; init; }
}
