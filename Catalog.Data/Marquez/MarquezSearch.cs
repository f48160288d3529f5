using Catalog.Data.Database;
using Catalog.Data.Lineage;

namespace Catalog.Data.Marquez;

/// <summary>Finds jobs and datasets by a part of their name, ignoring case.</summary>
public sealed class MarquezSearch(CatalogDatabase db)
{
    // This is more than a page has, because the caller compares the namespace and the times afterwards.
    private const int MaxHits = 2000;

    /// <summary>The newest jobs whose name contains the text.</summary>
    public async Task<List<MarquezHit>> Jobs(string organization, string text, CancellationToken ct)
    {
        const string Sql = """
            -- Marquez.SearchJobs
            select id, description, current_version, created_at, updated_at, (
                    select body
                    from pipeline_versions
                    where pipeline_versions.organization_id = @organization and pipeline_versions.pipeline_id = newest.id
                      and pipeline_versions.version = 'reported') as reported
            from (
                select id, description, current_version, created_at, updated_at, search_key
                from pipelines
                where organization_id = @organization and deleted_at is null
                order by created_at desc, id desc
                limit @MaxExamined) as newest
            where search_key like @Contains escape '\'
            limit @MaxHits
            """;

        var folded = SearchPattern.Fold(text);
        var parameters = new { organization, Contains = SearchPattern.Contains(folded), MarquezJobs.MaxExamined, MaxHits };
        return [.. (await db.Many<JobRow>(organization, Sql, parameters, ct))
            .Where(job => SearchPattern.Fold(job.Name.Name).Contains(folded, StringComparison.Ordinal))
            .Select(job => new MarquezHit(true, job.Name, job.UpdatedAt))];
    }

    /// <summary>The newest datasets whose name contains the text.</summary>
    public Task<List<MarquezHit>> Datasets(string organization, string text, CancellationToken ct) => db.Read(organization, async session =>
    {
        const string Sql = """
            -- Marquez.SearchDatasets
            select namespace, name, created_at
            from datasets
            where organization_id = @organization
            order by created_at desc, id desc
            limit @MaxExamined
            """;

        // The names are folded here, because the table has no column with folded names, and SQLite folds only ASCII.
        var folded = SearchPattern.Fold(text);
        List<MarquezHit> hits = [];
        await session.Each(Sql, new { organization, MarquezJobs.MaxExamined }, row =>
        {
            if (hits.Count < MaxHits && SearchPattern.Fold(row.GetString(1)).Contains(folded, StringComparison.Ordinal))
            {
                var at = row.GetFieldValue<DateTimeOffset>(2);
                hits.Add(new(false, NodeName.Of(LineageReader.Dataset(Guid.Empty, row.GetString(0), row.GetString(1), at)), at));
            }
        }, ct);
        return hits;
    }, ct);
}

/// <summary>A job or a dataset that was found.</summary>
/// <param name="IsJob">True for a job; false for a dataset.</param>
/// <param name="Name">The name of the job or dataset.</param>
/// <param name="UpdatedAt">The last change of a job; the creation of a dataset.</param>
public sealed record MarquezHit(bool IsJob, NodeName Name, DateTimeOffset UpdatedAt);
