using System.Text.Json;
using System.Text.Json.Serialization;

namespace Catalog.Api.Dbt;

/// <summary>
/// The artifacts of one invocation of dbt: the contents of the files in its folder <c>target</c>. In a
/// <c>multipart/form-data</c> body, each member is a field or a file with this name.
/// </summary>
public sealed record DbtArtifactsBody
{
    /// <summary>manifest.json, of any version.</summary>
    public required JsonElement Manifest { get; init; }

    /// <summary>
    /// run_results.json, of any version. The results of <c>dbt docs generate</c> and other commands that execute
    /// nothing give datasets and lineage, but no run.
    /// </summary>
    public required JsonElement RunResults { get; init; }

    /// <summary>sources.json: the freshness of sources. The service stores it as check results.</summary>
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
    /// stored, duplicate or logged_only. duplicate: the artifacts of these invocations were stored before, so nothing
    /// changed. logged_only: the pipeline was deleted or exceeds the plan.
    /// </summary>
    public required string Outcome { get; init; }

    /// <summary>The pipeline of the project: <c>dbt/</c> and the project's name.</summary>
    public required string PipelineId { get; init; }

    /// <summary>The id of the run, which is the id of the invocation; null when the command executes nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? RunId { get; init; }

    /// <summary>The number of stages of the run. Each node with a result is a stage.</summary>
    public required int Stages { get; init; }

    /// <summary>The number of check results, from tests and from the freshness of sources.</summary>
    public required int Results { get; init; }

    /// <summary>The number of datasets: models, seeds, snapshots, sources and exposures.</summary>
    public required int Datasets { get; init; }

    /// <summary>The number of lineage edges between these datasets.</summary>
    public required int Edges { get; init; }
}
