using Catalog.Data.Database;

namespace Catalog.Data.Lineage;

/// <summary>Reads datasets and what is known around them. <see cref="LineageRepository"/> walks from one to the next.</summary>
public sealed class DatasetRepository(CatalogDatabase db)
{
    /// <summary>How many pipelines one answer asks about at most.</summary>
    public const int MaxPipelines = 1000;

    /// <summary>One page, the newest first.</summary>
    /// <param name="organization">Whose datasets.</param>
    /// <param name="ns">Only of this namespace (empty: of none); null: of any.</param>
    /// <param name="after">Where the page before ended.</param>
    /// <param name="limit">How many.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<Page<Dataset>> List(string organization, string? ns, Cursor? after, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- Datasets.List
            select id, namespace, name, created_at
            from datasets
            where organization_id = @organization
              {(ns is null ? "" : "and namespace = @ns")}
              {(after is null ? "" : "and (created_at, id) < (@At, @Id)")}
            order by created_at desc, id desc
            limit @Take
            """;

        // A cursor of another list names no dataset; it then begins before all that have its time.
        var id = after is { } cursor && Guid.TryParse(cursor.Id, out var known) ? known : Guid.Empty;
        var rows = await db.Many<Dataset>(organization, sql, new
        {
            organization,
            ns,
            after?.At,
            Id = id,
            Take = limit + 1,
        }, ct);
        return Page.Of(rows, limit, dataset => new Cursor(dataset.CreatedAt, dataset.Id.ToString()));
    }

    /// <summary>The pipelines that write a dataset, and those that read it, by the edges that hold now.</summary>
    public Task<(List<LineagePipeline> Producers, List<LineagePipeline> Consumers)> Pipelines(string organization, Guid dataset, CancellationToken ct) =>
        db.Read(organization, async session => (await Of(session, organization, "downstream", dataset, ct), await Of(session, organization, "upstream", dataset, ct)), ct);

    private static Task<List<LineagePipeline>> Of(Session session, string organization, string side, Guid dataset, CancellationToken ct)
    {
        var sql = $"""
            -- Datasets.Pipelines
            select pipelines.id, pipelines.owner
            from pipelines
            where pipelines.organization_id = @organization and pipelines.id in (
                select pipeline_id
                from lineage_edges
                where organization_id = @organization and {side} = @dataset and valid_to is null)
            order by pipelines.id
            limit @MaxPipelines
            """;

        return session.Many<LineagePipeline>(sql, new { organization, dataset, MaxPipelines }, ct);
    }

    /// <summary>Pipelines by id, with their owners; those that are gone are left out.</summary>
    public Task<List<LineagePipeline>> Owners(string organization, IReadOnlyList<string> pipelines, CancellationToken ct)
    {
        var sql = $"""
            -- Datasets.Owners
            select id, owner
            from {db.Dialect.ByIndex("pipelines", "organization_id = @organization and deleted_at is null", "id", "@ids")}
            order by id
            """;

        return db.Many<LineagePipeline>(organization, sql, new { organization, ids = pipelines.Take(MaxPipelines).ToArray() }, ct);
    }

    /// <summary>The tags of pipelines, each once, sorted.</summary>
    public Task<List<string>> Tags(string organization, IReadOnlyList<string> pipelines, CancellationToken ct)
    {
        var sql = $"""
            -- Datasets.Tags
            select distinct tag
            from {db.Dialect.ByIndex("pipeline_tags", "organization_id = @organization", "pipeline_id", "@ids")}
            order by tag
            """;

        return db.Many<string>(organization, sql, new { organization, ids = pipelines.ToArray() }, ct);
    }
}
