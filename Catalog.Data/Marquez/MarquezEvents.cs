using Catalog.Data.Database;

namespace Catalog.Data.Marquez;

/// <summary>Lists the OpenLineage events of runs as they were received.</summary>
public sealed class MarquezEvents(CatalogDatabase db)
{
    /// <summary>The maximum number of characters of all events of a page.</summary>
    public const int MaxCharacters = 32 * 1024 * 1024;

    /// <summary>
    /// One page of the events, by the time of their receipt, and the number of all matching events. Only the first
    /// <see cref="MarquezJobs.MaxExamined"/> events in this order are examined.
    /// </summary>
    /// <param name="organization">The organization.</param>
    /// <param name="after">The start of the period of receipt, inclusive.</param>
    /// <param name="before">The end of the period of receipt, exclusive.</param>
    /// <param name="newestFirst">Whether the newest event comes first; otherwise the oldest event comes first.</param>
    /// <param name="limit">The maximum number of events.</param>
    /// <param name="offset">The number of events before the page.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The bodies, or null when they exceed <see cref="MaxCharacters"/>; and the number of events.</returns>
    public Task<(List<string>? Bodies, long Total)> List(string organization, DateTimeOffset after, DateTimeOffset before, bool newestFirst,
        int limit, int offset, CancellationToken ct) => db.Read(organization, async session =>
    {
        var direction = newestFirst ? "desc" : "asc";
        var order = $"order by received_at {direction}, dialect {direction}, digest {direction}";
        // Of the examined events, those of other dialects and those of jobs and datasets without a run are left out.
        string Matching(string columns) => $"""
            from (
                select {columns}received_at, dialect, digest, run_id, pipeline_id
                from lineage_events
                where organization_id = @organization and received_at >= @after and received_at < @before
                {order}
                limit {MarquezJobs.MaxExamined}) as examined
            where dialect = 'openlineage' and run_id is not null and pipeline_id is not null
            """;
        var rows = $"""
            -- Marquez.Events
            select body
            {Matching("body, ")}
            {order}
            limit @limit offset @offset
            """;
        var count = $"""
            -- Marquez.CountEvents
            select count(*)
            {Matching("")}
            """;

        var parameters = new { organization, after, before, limit, offset };
        var (bodies, characters) = (new List<string>(), 0L);
        await session.Each(rows, parameters, row =>
        {
            if (characters <= MaxCharacters)
            {
                bodies.Add(row.GetString(0));
                characters += bodies[^1].Length;
            }
        }, ct);
        return (characters > MaxCharacters ? null : bodies, await session.One<long>(count, parameters, ct));
    }, ct);
}
