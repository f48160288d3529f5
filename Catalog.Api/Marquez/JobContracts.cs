using System.Security.Cryptography;
using System.Text;
using Catalog.Api.Http;
using Catalog.Data.Marquez;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;

namespace Catalog.Api.Marquez;

/// <summary>A namespace and a name.</summary>
internal sealed record MarquezId(string Namespace, string Name)
{
    public static MarquezId Of(NodeName name) => new(name.Namespace, name.Name);
}

/// <summary>A namespace, a name and a version.</summary>
internal sealed record MarquezVersionId(string Namespace, string Name, Guid? Version)
{
    /// <summary>
    /// Computes a UUID from values of the Catalog. Marquez uses UUIDs as ids of versions; the Catalog does not.
    /// </summary>
    public static Guid Uuid(params string[] parts) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', parts))).AsSpan(0, 16), bigEndian: true);
}

/// <summary>A dataset in the answer of a run.</summary>
internal sealed record MarquezRunDataset(MarquezVersionId DatasetVersionId, IReadOnlyDictionary<string, RawJson> Facets);

/// <summary>A job of Marquez: a pipeline.</summary>
internal sealed record MarquezJob
{
    public required MarquezId Id { get; init; }

    /// <summary>BATCH, STREAM or SERVICE.</summary>
    public required string Type { get; init; }

    public required string Name { get; init; }
    public required string SimpleName { get; init; }
    public required string? ParentJobName { get; init; }
    public required Guid? ParentJobUuid { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public required string Namespace { get; init; }
    public required IReadOnlyList<MarquezId> Inputs { get; init; }
    public required IReadOnlyList<MarquezId> Outputs { get; init; }
    public required string? Location { get; init; }
    public required string? Description { get; init; }
    public required MarquezRun? LatestRun { get; init; }

    /// <summary>
    /// Null, not an empty list, for a job that has never run. Marquez's UI calls reduce() without a first value, which
    /// fails for an empty list.
    /// </summary>
    public required IReadOnlyList<MarquezRun>? LatestRuns { get; init; }

    public required IReadOnlyDictionary<string, RawJson> Facets { get; init; }
    public required Guid CurrentVersion { get; init; }
    public required IReadOnlyList<string> Labels { get; init; }
    public required IReadOnlyList<string> Tags { get; init; }

    public static MarquezJob From(JobDetail detail)
    {
        var (row, name) = (detail.Row, detail.Row.Name);
        var facets = MarquezFacetJson.All(detail.Facets);
        var runs = detail.Runs.Select(run => MarquezRun.From(run, name, VersionOf(row), detail.Facts)).ToList();
        var parent = detail.Parent?.Name;
        return new()
        {
            Id = MarquezId.Of(name),
            Type = MarquezFacetJson.Text(facets, "jobType", "processingType")?.ToUpperInvariant() switch
            {
                "STREAMING" or "STREAM" => "STREAM",
                "SERVICE" => "SERVICE",
                _ => "BATCH",
            },
            Name = name.Name,
            SimpleName = parent is not null && name.Name.StartsWith($"{parent}.", StringComparison.Ordinal)
                ? name.Name[(parent.Length + 1)..] : name.Name,
            ParentJobName = parent,
            ParentJobUuid = detail.Parent is { } job ? MarquezVersionId.Uuid("job", job.Namespace, job.Name) : null,
            CreatedAt = row.CreatedAt,
            UpdatedAt = detail.Runs.Select(run => run.UpdatedAt).Append(row.UpdatedAt).Max(),
            Namespace = name.Namespace,
            Inputs = [.. detail.Inputs.Select(input => MarquezId.Of(input.Name))],
            Outputs = [.. detail.Outputs.Select(output => MarquezId.Of(output.Name))],
            Location = MarquezFacetJson.Text(facets, "sourceCodeLocation", "url"),
            Description = row.Description,
            LatestRun = runs.FirstOrDefault(),
            LatestRuns = runs.Count == 0 ? null : runs,
            Facets = facets,
            CurrentVersion = VersionOf(row),
            Labels = [],
            Tags = detail.Tags,
        };
    }

    public static Guid VersionOf(JobRow row) => MarquezVersionId.Uuid("version", row.Id, row.CurrentVersion);
}

/// <summary>The current version of a job.</summary>
internal sealed record MarquezJobVersion
{
    public required MarquezVersionId Id { get; init; }
    public required string Name { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required Guid Version { get; init; }
    public required string Namespace { get; init; }
    public required string? Location { get; init; }
    public required IReadOnlyList<MarquezId> Inputs { get; init; }
    public required IReadOnlyList<MarquezId> Outputs { get; init; }
    public required MarquezRun? LatestRun { get; init; }
    public required IReadOnlyDictionary<string, RawJson> Facets { get; init; }

    public static MarquezJobVersion From(MarquezJob job) => new()
    {
        Id = new(job.Namespace, job.Name, job.CurrentVersion),
        Name = job.Name,
        CreatedAt = job.CreatedAt,
        Version = job.CurrentVersion,
        Namespace = job.Namespace,
        Location = job.Location,
        Inputs = job.Inputs,
        Outputs = job.Outputs,
        LatestRun = job.LatestRun,
        Facets = job.Facets,
    };
}

/// <summary>A run.</summary>
internal sealed record MarquezRun
{
    public required string Id { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public required string? NominalStartTime { get; init; }
    public required string? NominalEndTime { get; init; }

    /// <summary>NEW, RUNNING, COMPLETED, FAILED or ABORTED.</summary>
    public required string State { get; init; }

    public required DateTimeOffset? StartedAt { get; init; }
    public required DateTimeOffset? EndedAt { get; init; }
    public required long? DurationMs { get; init; }
    public required IReadOnlyDictionary<string, string> Args { get; init; }
    public required MarquezVersionId JobVersion { get; init; }
    public required IReadOnlyList<MarquezRunDataset> InputDatasetVersions { get; init; }
    public required IReadOnlyList<MarquezRunDataset> OutputDatasetVersions { get; init; }
    public required IReadOnlyDictionary<string, RawJson> Facets { get; init; }

    public static MarquezRun From(RecentRun run, NodeName job, Guid version, RunFacts facts)
    {
        var facets = MarquezFacetJson.All(facts.Facets[run.Id]);
        return new()
        {
            Id = run.Id,
            CreatedAt = run.CreatedAt,
            UpdatedAt = run.UpdatedAt,
            NominalStartTime = MarquezFacetJson.Text(facets, "nominalTime", "nominalStartTime"),
            NominalEndTime = MarquezFacetJson.Text(facets, "nominalTime", "nominalEndTime"),
            State = run.Status switch
            {
                RunStatus.Pending => "NEW",
                RunStatus.Running => "RUNNING",
                RunStatus.Completed => "COMPLETED",
                RunStatus.Failed => "FAILED",
                _ => "ABORTED",
            },
            StartedAt = run.StartedAt,
            EndedAt = run.CompletedAt,
            DurationMs = (long?)(run.DurationSeconds * 1000),
            Args = new Dictionary<string, string>(),
            JobVersion = new(job.Namespace, job.Name, version),
            // The version is null, because events do not say which version of an input a run has read.
            InputDatasetVersions = [.. facts.Uses[run.Id].Where(use => use.IsInput)
                .Select(use => new MarquezRunDataset(new(use.Shown.Namespace, use.Name, null), MarquezFacetJson.None))],
            OutputDatasetVersions = [.. facts.Uses[run.Id].Where(use => !use.IsInput).Select(use => new MarquezRunDataset(
                new(use.Shown.Namespace, use.Name, MarquezDatasetVersion.Uuid(use.Dataset, run.Id)), MarquezFacetJson.None))],
            Facets = facets,
        };
    }
}
