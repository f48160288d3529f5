using Catalog.Data.Database;

namespace Catalog.Data.Marquez;

/// <summary>Lists the namespaces of jobs and datasets, and the tags of jobs.</summary>
public sealed class MarquezNamespaces(CatalogDatabase db)
{
    /// <summary>The maximum number of tags.</summary>
    public const int MaxTags = 1000;

    /// <summary>The namespaces of the newest jobs and datasets, by name.</summary>
    public Task<List<NamespaceRow>> List(string organization, CancellationToken ct) => db.Read(organization, async session =>
    {
        const string Jobs = $"""
            -- Marquez.NamespacesOfJobs
            select id, created_at, updated_at, (
                    select body
                    from pipeline_versions
                    where pipeline_versions.organization_id = @organization and pipeline_versions.pipeline_id = newest.id
                      and pipeline_versions.version = 'reported') as reported
            from (
                select id, created_at, updated_at
                from pipelines
                where organization_id = @organization and deleted_at is null
                order by created_at desc, id desc
                limit @MaxExamined) as newest
            """;
        const string Datasets = """
            -- Marquez.NamespacesOfDatasets
            select namespace, min(created_at) as created_at, max(created_at) as updated_at
            from (
                select namespace, created_at
                from datasets
                where organization_id = @organization
                order by created_at desc, id desc
                limit @MaxExamined) as newest
            group by namespace
            """;

        var parameters = new { organization, MarquezJobs.MaxExamined };
        var found = await session.Many<NamespaceRow>(Datasets, parameters, ct);
        foreach (var job in await session.Many<JobOfNamespace>(Jobs, parameters, ct))
        {
            found.Add(new()
            {
                Namespace = NodeName.OfPipeline(job.Id, job.Reported).Namespace,
                CreatedAt = job.CreatedAt,
                UpdatedAt = job.UpdatedAt,
            });
        }

        return found.GroupBy(row => row.Namespace.Length == 0 ? NodeName.DefaultNamespace : row.Namespace, StringComparer.Ordinal)
            .Select(group => new NamespaceRow
            {
                Namespace = group.Key,
                CreatedAt = group.Min(row => row.CreatedAt),
                UpdatedAt = group.Max(row => row.UpdatedAt),
            })
            .OrderBy(row => row.Namespace, StringComparer.Ordinal).ToList();
    }, ct);

    /// <summary>The distinct tags of jobs, sorted.</summary>
    public async Task<List<string>> Tags(string organization, CancellationToken ct)
    {
        // The recursion makes one index look-up for each tag, not one for each job.
        const string Sql = """
            -- Marquez.Tags
            with recursive tags (tag) as (
                select min(tag)
                from pipeline_tags
                where organization_id = @organization
                union all
                select (
                    select min(pipeline_tags.tag)
                    from pipeline_tags
                    where organization_id = @organization and pipeline_tags.tag > tags.tag)
                from tags
                where tags.tag is not null)
            select tag
            from tags
            where tag is not null
            limit @MaxTags
            """;

        return [.. (await db.Many<string>(organization, Sql, new { organization, MaxTags }, ct)).Order(StringComparer.Ordinal)];
    }

    private sealed record JobOfNamespace
    {
        public required string Id { get; init; }
        public required DateTimeOffset CreatedAt { get; init; }
        public required DateTimeOffset UpdatedAt { get; init; }
        public string? Reported { get; init; }
    }
}

/// <summary>A namespace, when its first job or dataset appeared, and when one of them last changed.</summary>
public sealed record NamespaceRow
{
    public required string Namespace { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}
