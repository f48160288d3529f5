using System.Text.Json;
using System.Text.Json.Serialization;
using Catalog.Api.Http;

namespace Catalog.Api.Pipelines;

/// <summary>
/// A pipeline as its generator writes it (<c>pipeline.json</c>). Fields that are not named here are kept and given back as sent.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public record PipelineSpec
{
    /// <summary>The pipeline's id, at most 256 characters.</summary>
    public string? Name { get; init; }

    /// <summary>The version, text or a number; left out, it is a hash of the body.</summary>
    public RawJson? Version { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Who answers for it.</summary>
    public string? Owner { get; init; }

    /// <summary>Where it runs, such as production.</summary>
    public string? Environment { get; init; }

    /// <summary>When it runs: a cron expression of five fields (minute, hour, day of month, month, day of week), with L, W and # where wished; or @hourly, @daily, @weekly, @monthly, @yearly.</summary>
    public string? Schedule { get; init; }

    /// <summary>Words to find it by.</summary>
    public IReadOnlyList<string?>? Tags { get; init; }

    /// <summary>What it reads.</summary>
    public IReadOnlyList<SourceSpec?>? Sources { get; init; }

    /// <summary>What it does.</summary>
    public IReadOnlyList<TransformSpec?>? Transforms { get; init; }

    /// <summary>What it writes.</summary>
    public IReadOnlyList<TargetSpec?>? Targets { get; init; }

    /// <summary>The checks that come with it.</summary>
    public IReadOnlyList<CheckSpec?>? Checks { get; init; }

    /// <summary>The lineage between datasets; exactly the edges given, none are guessed.</summary>
    public LineageSpec? Lineage { get; init; }

    /// <summary>The same edges, where a generator writes them at the top.</summary>
    public IReadOnlyList<EdgeSpec?>? Edges { get; init; }

    internal IEnumerable<EdgeSpec> AllEdges() => [.. (Lineage?.Edges ?? []).OfType<EdgeSpec>(), .. (Edges ?? []).OfType<EdgeSpec>()];

    /// <summary>The version as text, or null when there is none.</summary>
    internal string? VersionText() => RawJson.Stored(Version) is not { } text ? null
        : text.StartsWith('"') ? JsonSerializer.Deserialize<string>(text) : text;
}

/// <summary>Something that a pipeline reads or writes.</summary>
public abstract record EndpointSpec
{
    /// <summary>Unique among the sources, or among the targets, of the pipeline.</summary>
    public string? Id { get; init; }

    /// <summary>The kind of system, such as postgres.</summary>
    public string? Type { get; init; }

    /// <summary>The id of a connection; it need not be registered.</summary>
    public string? ConnectionRef { get; init; }

    /// <summary>What is read or written there: a name, or an object that describes it.</summary>
    public RawJson? Object { get; init; }
}

/// <summary>Something that a pipeline reads.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record SourceSpec : EndpointSpec
{
    /// <summary>full, or incremental, which needs a watermark column.</summary>
    public string? LoadMode { get; init; }

    /// <summary>The column that tells what is new.</summary>
    public string? WatermarkColumn { get; init; }
}

/// <summary>Something that a pipeline writes.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record TargetSpec : EndpointSpec
{
    /// <summary>How rows are written; merge needs a primary key.</summary>
    public string? WriteMode { get; init; }

    /// <summary>The columns that tell rows apart.</summary>
    public IReadOnlyList<string?>? PrimaryKey { get; init; }
}

/// <summary>A step between sources and targets.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record TransformSpec
{
    /// <summary>Unique among the transforms of the pipeline.</summary>
    public string? Id { get; init; }

    /// <summary>Ids of sources, of transforms, or of what transforms put out.</summary>
    public IReadOnlyList<string?>? Inputs { get; init; }

    /// <summary>Names that later transforms may take as inputs.</summary>
    public IReadOnlyList<string?>? Outputs { get; init; }

    /// <summary>Where its code is.</summary>
    public string? CodeRef { get; init; }

    /// <summary>Its SQL, as text or a path.</summary>
    public string? Sql { get; init; }
}

/// <summary>A check that comes with a pipeline.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record CheckSpec
{
    /// <summary>Unique among the checks of the pipeline.</summary>
    public string? Id { get; init; }

    /// <summary>Its SQL, as text or a path.</summary>
    public string? Sql { get; init; }

    /// <summary>error (the default) or warn.</summary>
    public string? Severity { get; init; }

    /// <summary>What kind of check it is.</summary>
    public string? Kind { get; init; }

    /// <summary>The dataset that it looks at.</summary>
    public string? Dataset { get; init; }

    /// <summary>The connection that it runs on.</summary>
    public string? ConnectionId { get; init; }
}

/// <summary>The lineage of a pipeline.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record LineageSpec
{
    /// <summary>From upstream to downstream.</summary>
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
