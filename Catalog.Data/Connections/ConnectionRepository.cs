using Catalog.Data.Database;

namespace Catalog.Data.Connections;

/// <summary>Stores and reads warehouse connections. What is secret in them comes and goes sealed.</summary>
public sealed class ConnectionRepository(CatalogDatabase db)
{
    private const string Columns = "id, type, config, secrets, created_at, updated_at";

    /// <returns>False when the id is taken.</returns>
    public Task<bool> Insert(string organization, Connection connection, CancellationToken ct) => db.Write(organization, async session =>
    {
        const string Sql = """
            -- Connections.Insert
            insert into connections (organization_id, id, type, config, secrets, created_at, updated_at)
            values (@organization, @Id, @Type, @Config, @Secrets, @CreatedAt, @CreatedAt)
            on conflict (organization_id, id) do nothing
            """;

        return await session.Execute(Sql, new { organization, connection.Id, connection.Type, connection.Config, connection.Secrets, connection.CreatedAt }, ct) == 1;
    }, ct);

    /// <returns>Some connection that keeps secrets, or null when none does.</returns>
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

    /// <returns>The connection, or null when there is none of that id.</returns>
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

    /// <summary>One page, the newest first.</summary>
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

    /// <returns>False when it is not there, or has been changed since <paramref name="asOf"/>.</returns>
    public Task<bool> Replace(string organization, Connection connection, DateTimeOffset? asOf, CancellationToken ct) => db.Write(organization, async session =>
    {
        var sql = $"""
            -- Connections.Replace
            update connections
            set type = @Type, config = @Config, secrets = @Secrets, updated_at = @UpdatedAt
            where organization_id = @organization and id = @Id
              {(asOf is null ? "" : "and updated_at = @asOf")}
            """;

        return await session.Execute(sql, new { organization, connection.Id, connection.Type, connection.Config, connection.Secrets, connection.UpdatedAt, asOf }, ct) == 1;
    }, ct);

    /// <returns>False when it is not there, or has been changed since <paramref name="asOf"/>.</returns>
    public Task<bool> Delete(string organization, string id, DateTimeOffset? asOf, CancellationToken ct) => db.Write(organization, async session =>
    {
        var sql = $"""
            -- Connections.Delete
            delete from connections
            where organization_id = @organization and id = @id
              {(asOf is null ? "" : "and updated_at = @asOf")}
            """;

        return await session.Execute(sql, new { organization, id, asOf }, ct) == 1;
    }, ct);
}
