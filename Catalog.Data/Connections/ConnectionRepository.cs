using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Data.Connections;

/// <summary>
/// Stores and reads warehouse connections. Callers encrypt and decrypt the secrets; this class handles only their
/// encrypted form.
/// </summary>
public sealed class ConnectionRepository(CatalogDatabase db)
{
    private const string Columns = "id, type, config, secrets, created_at, updated_at";

    /// <summary>Registers a connection, unless its id is taken or a limit of the plan is reached.</summary>
    public Task<ConnectionRegistration> Insert(string organization, Connection connection, AuditEntry entry, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        const string Sql = """
            -- Connections.Insert
            insert into connections (organization_id, id, type, config, secrets, created_at, updated_at)
            values (@organization, @Id, @Type, @Config, @Secrets, @CreatedAt, @CreatedAt)
            on conflict (organization_id, id) do nothing
            """;

        const string Count = """
            -- Connections.Count
            select count(*)
            from connections
            where organization_id = @organization
            """;

        if (await session.Execute(
            Sql, new { organization, connection.Id, connection.Type, connection.Config, connection.Secrets, connection.CreatedAt },
            ct) == 0)
        {
            return new ConnectionRegistration(false, null);
        }

        if (await PlanEnforcement.Lock(session, organization, ct) is { } plan
            && PlanEnforcement.Reached(
                plan, "connections", each => each.Connections, await session.One<long>(Count, new { organization }, ct))
                is { } reached)
        {
            session.RequestRollback();
            return new(false, reached);
        }

        await AuditRepository.Append(session, organization, entry, ct);
        return new(true, null);
    }, ct);

    /// <summary>Finds any connection with secrets.</summary>
    /// <returns>Null when no connection has secrets.</returns>
    public Task<Connection?> FindSealed(string organization, CancellationToken ct)
    {
        const string Sql = $"""
            -- Connections.FindSealed
            select {Columns}
            from connections
            where organization_id = @organization and secrets is not null
            limit 1
            """;

        return db.One<Connection>(organization, Sql, new { organization }, ct);
    }

    /// <returns>The connection; null when the id does not exist.</returns>
    public Task<Connection?> Find(string organization, string id, CancellationToken ct)
    {
        const string Sql = $"""
            -- Connections.Find
            select {Columns}
            from connections
            where organization_id = @organization and id = @id
            """;

        return db.One<Connection>(organization, Sql, new { organization, id }, ct);
    }

    /// <summary>Reads one page, newest first.</summary>
    public async Task<Page<Connection>> List(string organization, string? type, Cursor? after, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- Connections.List
            select {Columns}
            from connections
            where organization_id = @organization
              {(type is null ? "" : "and type = @type")}
              {(after is null ? "" : "and (created_at, id) < (@At, @Id)")}
            order by created_at desc, id desc
            limit @Take
            """;

        var rows = await db.Many<Connection>(organization, sql, new { organization, type, after?.At, after?.Id, Take = limit + 1 }, ct);
        return Page.Of(rows, limit, connection => new Cursor(connection.CreatedAt, connection.Id));
    }

    /// <returns>False when the connection does not exist, or has changed since <paramref name="asOf"/>.</returns>
    public Task<bool> Replace(string organization, Connection connection, DateTimeOffset? asOf, AuditEntry entry, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        var sql = $"""
            -- Connections.Replace
            update connections
            set type = @Type, config = @Config, secrets = @Secrets, updated_at = @UpdatedAt
            where organization_id = @organization and id = @Id
              {(asOf is null ? "" : "and updated_at = @asOf")}
            """;

        if (await session.Execute(
            sql, new { organization, connection.Id, connection.Type, connection.Config, connection.Secrets, connection.UpdatedAt, asOf },
            ct) == 0)
        {
            return false;
        }

        await AuditRepository.Append(session, organization, entry, ct);
        return true;
    }, ct);

    /// <returns>False when the connection does not exist, or has changed since <paramref name="asOf"/>.</returns>
    public Task<bool> Delete(string organization, string id, DateTimeOffset? asOf, AuditEntry entry, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        var sql = $"""
            -- Connections.Delete
            delete from connections
            where organization_id = @organization and id = @id
              {(asOf is null ? "" : "and updated_at = @asOf")}
            """;

        if (await session.Execute(sql, new { organization, id, asOf }, ct) == 0)
        {
            return false;
        }

        await AuditRepository.Append(session, organization, entry, ct);
        return true;
    }, ct);
}

/// <summary>The result of a registration.</summary>
/// <param name="Stored">False when the id is taken or a limit of the plan is reached.</param>
/// <param name="Ceiling">The limit of the plan that was reached; otherwise null.</param>
public sealed record ConnectionRegistration(bool Stored, CeilingReached? Ceiling);
