using Catalog.Data.Database;

namespace Catalog.Data.Organizations;

/// <summary>
/// The audit log. An entry is written in the same transaction as the change that it describes. Entries never change.
/// </summary>
public sealed class AuditRepository(CatalogDatabase db)
{
    /// <summary>Adds an entry in the transaction of the change that it describes.</summary>
    internal static Task Append(Session session, string organization, AuditEntry entry, CancellationToken ct)
    {
        const string Sql = """
            -- Audit.Append
            insert into audit_log (organization_id, id, occurred_at, actor, action, object_type, object_id, detail)
            values (@organization, @Id, @OccurredAt, @Actor, @Action, @ObjectType, @ObjectId, @Detail)
            """;

        return session.Execute(
            Sql, new
            {
                organization,
                entry.Id,
                entry.OccurredAt,
                entry.Actor,
                entry.Action,
                entry.ObjectType,
                entry.ObjectId,
                entry.Detail
            }, ct);
    }

    /// <summary>Reads one page, newest first.</summary>
    public async Task<Page<AuditEntry>> List(string organization, AuditFilter filter, Cursor? after, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- Audit.List
            select id, occurred_at, actor, action, object_type, object_id, detail
            from audit_log
            where organization_id = @organization
              {Conditions(filter)}
              {(after is null ? "" : "and (occurred_at, id) < (@At, @Id)")}
            order by occurred_at desc, id desc
            limit @Take
            """;

        var rows = await db.Many<AuditEntry>(
            organization, sql, new
            {
                organization,
                filter.Actor,
                filter.Action,
                filter.Since,
                filter.Until,
                after?.At,
                after?.Id,
                Take = limit + 1
            }, ct);
        return Page.Of(rows, limit, entry => new Cursor(entry.OccurredAt, entry.Id));
    }

    /// <summary>Counts the entries that the filter selects.</summary>
    public async Task<RowCount> Count(string organization, AuditFilter filter, CancellationToken ct)
    {
        var sql = $"""
            -- Audit.Count
            select count(*)
            from (
                select 1
                from audit_log
                where organization_id = @organization
                  {Conditions(filter)}
                limit {RowCount.Take}
            ) as counted
            """;

        return RowCount.Of(await db.One<long>(
            organization, sql, new { organization, filter.Actor, filter.Action, filter.Since, filter.Until }, ct));
    }

    private static string Conditions(AuditFilter filter) => $"""
        {(filter.Actor is null ? "" : "and actor = @Actor")}
        {(filter.Action is null ? "" : "and action = @Action")}
        {(filter.Since is null ? "" : "and occurred_at >= @Since")}
        {(filter.Until is null ? "" : "and occurred_at < @Until")}
        """;
}

/// <summary>The filter of the audit log. A null property does not filter.</summary>
public sealed record AuditFilter
{
    public string? Actor { get; init; }
    public string? Action { get; init; }

    /// <summary>The start of the time range, inclusive.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The end of the time range, exclusive.</summary>
    public DateTimeOffset? Until { get; init; }
}
