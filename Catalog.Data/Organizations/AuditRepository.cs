using Catalog.Data.Database;

namespace Catalog.Data.Organizations;

/// <summary>Who did what to which object when. Entries are written in the transaction of what they tell of, and never changed.</summary>
public sealed class AuditRepository(CatalogDatabase db)
{
    /// <summary>Adds an entry, inside the transaction of what it tells of.</summary>
    internal static Task Append(Session session, string organization, AuditEntry entry, CancellationToken ct)
    {
        const string Sql = """
            -- Audit.Append
            insert into audit_log (organization_id, id, occurred_at, actor, action, object_type, object_id, detail)
            values (@organization, @Id, @OccurredAt, @Actor, @Action, @ObjectType, @ObjectId, @Detail)
            """;

        return session.Execute(
            Sql, new { organization, entry.Id, entry.OccurredAt, entry.Actor, entry.Action, entry.ObjectType, entry.ObjectId, entry.Detail }, ct);
    }

    /// <summary>One page, the newest first.</summary>
    public async Task<Page<AuditEntry>> List(string organization, AuditFilter filter, Cursor? after, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- Audit.List
            select id, occurred_at, actor, action, object_type, object_id, detail
            from audit_log
            where organization_id = @organization
              {(filter.Actor is null ? "" : "and actor = @Actor")}
              {(filter.Action is null ? "" : "and action = @Action")}
              {(filter.Since is null ? "" : "and occurred_at >= @Since")}
              {(filter.Until is null ? "" : "and occurred_at < @Until")}
              {(after is null ? "" : "and (occurred_at, id) < (@At, @Id)")}
            order by occurred_at desc, id desc
            limit @Take
            """;

        var rows = await db.Many<AuditEntry>(
            organization, sql, new { organization, filter.Actor, filter.Action, filter.Since, filter.Until, after?.At, after?.Id, Take = limit + 1 }, ct);
        return Page.Of(rows, limit, entry => new Cursor(entry.OccurredAt, entry.Id));
    }
}

/// <summary>Which entries to list; null: all.</summary>
public sealed record AuditFilter
{
    public string? Actor { get; init; }
    public string? Action { get; init; }

    /// <summary>Inclusive.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Exclusive.</summary>
    public DateTimeOffset? Until { get; init; }
}
