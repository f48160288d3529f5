using System.Text.Json;
using System.Text.Json.Serialization;

namespace Catalog.Api.Dbt;

/// <summary>
/// The artifacts of one invocation of dbt: the contents of the files in its folder <c>target</c>. As
/// <c>multipart/form-data</c> each member is a field or a file of this name.
/// </summary>
public sealed record DbtArtifactsBody
{
    /// <summary>manifest.json, of any version.</summary>
    public required JsonElement Manifest { get; init; }

    /// <summary>
    /// run_results.json, of any version. The results of <c>dbt docs generate</c> and other commands that execute nothing
    /// give datasets and lineage, and no run.
    /// </summary>
    public required JsonElement RunResults { get; init; }

    /// <summary>sources.json: the freshness of sources, which become check results.</summary>
    public JsonElement? Sources { get; init; }

    /// <summary>catalog.json: the types of columns and the numbers of rows.</summary>
    public JsonElement? Catalog { get; init; }

    /// <summary>
    /// The namespace of the warehouse's datasets, as OpenLineage producers name it: <c>postgres://host:5432</c>,
    /// <c>snowflake://org-account</c>. Default: the type of dbt's adapter, such as <c>bigquery</c>.
    /// </summary>
    public string? Namespace { get; init; }
}

/// <summary>What an upload of dbt artifacts contained.</summary>
public sealed record DbtUploadResult
{
    /// <summary>
    /// stored; duplicate when the artifacts of these invocations were stored before, so that nothing changed; logged_only
    /// when the pipeline was deleted or exceeds the plan.
    /// </summary>
    public required string Outcome { get; init; }

    /// <summary>The pipeline of the project: <c>dbt/</c> and the project's name.</summary>
    public required string PipelineId { get; init; }

    /// <summary>The run: the id of the invocation; null when the command executes nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? RunId { get; init; }

    /// <summary>The nodes with a result, as stages of the run.</summary>
    public required int Stages { get; init; }

    /// <summary>The check results of tests and of freshness.</summary>
    public required int Results { get; init; }

    /// <summary>The datasets: models, seeds, snapshots, sources and exposures.</summary>
    public required int Datasets { get; init; }

    /// <summary>The edges of lineage between them.</summary>
    public required int Edges { get; init; }
}
