using Catalog.Data.Database;

namespace Catalog.Data.Runs;

/// <summary>Reads the events of runs as they were received.</summary>
public sealed class RunEventRepository(CatalogDatabase db)
{
    // An event of OpenLineage is shown as it was received, not as the run event that was made from it.
    private const string Body = "coalesce(lineage_events.body, run_events.body)";

    private const string Logged = """
        left join lineage_events on lineage_events.organization_id = @organization and lineage_events.dialect = 'openlineage'
            and lineage_events.digest = run_events.digest
        """;

    /// <summary>Reads one page of a run's events, latest received first.</summary>
    /// <returns>The page, or null when the run does not exist.</returns>
    public Task<Page<ReceivedEvent>?> List(string organization, string id, Cursor? after, int limit, CancellationToken ct) =>
        db.Read(organization, async session =>
        {
            const string Exists = """
                -- Runs.Exists
                select 1
                from runs
                where organization_id = @organization and id = @id
                """;
            var sql = $"""
                -- Runs.Events
                select {Body} as body, run_events.received_at, run_events.digest
                from run_events
                {Logged}
                where run_events.organization_id = @organization and run_events.run_id = @id
                  {(after is null ? "" : "and (run_events.received_at, run_events.digest) < (@At, @digest)")}
                order by run_events.received_at desc, run_events.digest desc
                limit @Take
                """;

            if (await session.One<int?>(Exists, new { organization, id }, ct) is null)
            {
                return null;
            }

            // A forged cursor can be without a digest. The page then begins after all events with the time of the
            // cursor.
            var digest = Digest(after?.Id) ?? [];
            var events = await session.Many<ReceivedEvent>(sql, new { organization, id, after?.At, digest, Take = limit + 1 }, ct);
            return Page.Of(events, limit, @event => new Cursor(@event.ReceivedAt, @event.Id));
        }, ct);

    /// <returns>The JSON of an event, as sent; null when the run has no event with this id.</returns>
    public async Task<string?> Find(string organization, string runId, string id, CancellationToken ct)
    {
        const string Sql = $"""
            -- Runs.Event
            select {Body}
            from run_events
            {Logged}
            where run_events.organization_id = @organization and run_events.run_id = @runId and run_events.digest = @digest
            """;

        return Digest(id) is { } digest ? await db.One<string>(organization, Sql, new { organization, runId, digest }, ct) : null;
    }

    private static byte[]? Digest(string? id) =>
        id is { Length: 64 } && id.All(char.IsAsciiHexDigit) ? Convert.FromHexString(id) : null;
}
