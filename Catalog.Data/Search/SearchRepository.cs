using Catalog.Data.Database;

namespace Catalog.Data.Search;

/// <summary>Finds pipelines, datasets, checks and owners by a part of their names, ignoring case.</summary>
public sealed class SearchRepository(CatalogDatabase db)
{
    /// <summary>The maximum number of objects of each kind that are searched: the newest objects.</summary>
    public const int MaxExamined = 20_000;

    /// <summary>The maximum number of hits of each kind.</summary>
    public const int MaxHits = 10;

    /// <summary>
    /// Finds pipelines whose id, description or owner contains the text. Pipelines whose id begins with the text come
    /// first.
    /// </summary>
    public Task<List<PipelineHit>> Pipelines(string organization, string text, CancellationToken ct)
    {
        var sql = $"""
            -- Search.Pipelines
            select id, description, owner
            from (
                select id, description, owner, search_key, created_at
                from pipelines
                where organization_id = @organization and deleted_at is null
                order by created_at desc, id desc
                limit {MaxExamined}) as newest
            where search_key like @Contains escape '\'
            order by case when search_key like @Begins escape '\' then 0 else 1 end, created_at desc, id desc
            limit {MaxHits}
            """;

        var folded = SearchPattern.Fold(text);
        var contains = SearchPattern.Contains(folded);
        return db.Many<PipelineHit>(organization, sql, new { organization, Contains = contains, Begins = contains[1..] }, ct);
    }

    /// <summary>
    /// Finds datasets whose name contains the text. Datasets whose name begins with the text come first.
    /// </summary>
    /// <returns>The shown ids of the datasets.</returns>
    public async Task<List<string>> Datasets(string organization, string text, CancellationToken ct)
    {
        var sql = $"""
            -- Search.Datasets
            select name, namespace
            from datasets
            where organization_id = @organization
            order by created_at desc, id desc
            limit {MaxExamined}
            """;

        return [.. (await Names(organization, sql, text, ct)).Select(hit => Lineage.DatasetId.Format(hit.Second, hit.Name))];
    }

    /// <summary>Finds checks whose id contains the text. Checks whose id begins with the text come first.</summary>
    public async Task<List<CheckHit>> Checks(string organization, string text, CancellationToken ct)
    {
        var sql = $"""
            -- Search.Checks
            select id, pipeline_id
            from checks
            where organization_id = @organization
            order by created_at desc, id desc, pipeline_id desc
            limit {MaxExamined}
            """;

        return [.. (await Names(organization, sql, text, ct)).Select(hit => new CheckHit(hit.Name, hit.Second))];
    }

    /// <summary>Finds owners of pipelines that contain the text. Owners that begin with the text come first.</summary>
    public async Task<List<string>> Owners(string organization, string text, CancellationToken ct)
    {
        var sql = $"""
            -- Search.Owners
            select distinct owner, ''
            from (
                select owner
                from pipelines
                where organization_id = @organization and deleted_at is null
                order by created_at desc, id desc
                limit {MaxExamined}) as newest
            where owner is not null
            order by owner
            """;

        return [.. (await Names(organization, sql, text, ct)).Select(hit => hit.Name)];
    }

    // There is no column with the names in lower case, and SQLite converts only ASCII letters. So the names are
    // compared here.
    private Task<List<(string Name, string Second)>> Names(string organization, string sql, string text, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            var folded = SearchPattern.Fold(text);
            List<(string Name, string Second)> begin = [];
            List<(string Name, string Second)> contain = [];
            await session.Each(sql, new { organization }, row =>
            {
                var name = row.GetString(0);
                var place = begin.Count < MaxHits ? SearchPattern.Fold(name).IndexOf(folded, StringComparison.Ordinal) : -1;
                if (place >= 0 && (place == 0 || contain.Count < MaxHits))
                {
                    (place == 0 ? begin : contain).Add((name, row.GetString(1)));
                }
            }, ct);
            return begin.Concat(contain).Take(MaxHits).ToList();
        }, ct);
}

/// <summary>A pipeline that a search found.</summary>
public sealed record PipelineHit
{
    public required string Id { get; init; }
    public string? Description { get; init; }
    public string? Owner { get; init; }
}

/// <summary>A check that a search found.</summary>
/// <param name="Id">The check's id.</param>
/// <param name="PipelineId">The pipeline's id; empty for a standalone check.</param>
public sealed record CheckHit(string Id, string PipelineId);
