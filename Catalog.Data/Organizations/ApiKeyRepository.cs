using Catalog.Data.Database;

namespace Catalog.Data.Organizations;

/// <summary>Stores and reads keys. Secrets never come here, only their hashes.</summary>
public sealed class ApiKeyRepository(CatalogDatabase db)
{
    /// <summary>How many live keys an organization may have.</summary>
    public const int Most = 200;

    private const string Columns = "id, organization_id, name, secret_hash, scopes, created_at, created_by, expires_at, revoked_at, replaced_by, last_used_at";

    /// <summary>The keys of a public id, of whatever organization: one or none, unless chance made an id twice.</summary>
    public Task<List<ApiKey>> LookUp(string id, CancellationToken ct)
    {
        const string Sql = $"""
            -- ApiKeys.LookUp
            select {Columns}
            from api_keys
            where id = @value
            """;

        return db.LookUp<ApiKey>(Database.LookUp.ApiKey, id, Sql, ct);
    }

    /// <summary>One page, the newest first; those that have ended too.</summary>
    public async Task<Page<ApiKey>> List(string organization, Cursor? after, int limit, CancellationToken ct)
    {
        var sql = $"""
            -- ApiKeys.List
            select {Columns}
            from api_keys
            where organization_id = @organization
              {(after is null ? "" : "and (created_at, id) < (@At, @Id)")}
            order by created_at desc, id desc
            limit @Take
            """;

        var rows = await db.Many<ApiKey>(organization, sql, new { organization, after?.At, after?.Id, Take = limit + 1 }, ct);
        return Page.Of(rows, limit, key => new Cursor(key.CreatedAt, key.Id));
    }

    /// <returns>The key, or null when the organization has none of that id.</returns>
    public Task<ApiKey?> Find(string organization, string id, CancellationToken ct)
    {
        const string Sql = $"""
            -- ApiKeys.Find
            select {Columns}
            from api_keys
            where organization_id = @organization and id = @id
            """;

        return db.One<ApiKey>(organization, Sql, new { organization, id }, ct);
    }

    /// <summary>Adds a key.</summary>
    public Task<KeyOutcome> Add(ApiKey key, AuditEntry entry, CancellationToken ct) => db.Write(key.OrganizationId, async session =>
    {
        const string Live = """
            -- ApiKeys.CountLive
            select count(*)
            from api_keys
            where organization_id = @organization and revoked_at is null and (expires_at is null or expires_at > @CreatedAt)
            """;

        if (await session.One<long>(Live, new { organization = key.OrganizationId, key.CreatedAt }, ct) >= Most)
        {
            return KeyOutcome.TooMany;
        }

        if (!await Insert(session, key, ct))
        {
            return KeyOutcome.IdTaken;
        }

        await AuditRepository.Append(session, key.OrganizationId, entry, ct);
        return KeyOutcome.Done;
    }, ct);

    /// <summary>Adds the key that takes the place of another, which goes on until <paramref name="until"/>, or until it ends by itself before.</summary>
    public Task<KeyOutcome> Rotate(string old, ApiKey key, DateTimeOffset until, AuditEntry entry, CancellationToken ct) => db.Write(key.OrganizationId, async session =>
    {
        // Of two rotations at once the second one waits here, and then sees what the first one made.
        const string Lock = """
            -- ApiKeys.Rotate: lock
            update api_keys
            set name = name
            where organization_id = @organization and id = @old and revoked_at is null and (expires_at is null or expires_at > @CreatedAt)
            returning id, replaced_by
            """;
        const string Successor = """
            -- ApiKeys.Rotate: successor
            select id
            from api_keys
            where organization_id = @organization and id = @ReplacedBy and revoked_at is null and (expires_at is null or expires_at > @CreatedAt)
            """;
        const string Replace = """
            -- ApiKeys.Rotate
            update api_keys
            set replaced_by = @Id, expires_at = case when expires_at < @until then expires_at else @until end
            where organization_id = @organization and id = @old
            """;

        if (await session.One<Replaceable>(Lock, new { organization = key.OrganizationId, old, key.CreatedAt }, ct) is not { } found
            || (found.ReplacedBy is not null && await session.One<string>(Successor, new { organization = key.OrganizationId, found.ReplacedBy, key.CreatedAt }, ct) is not null))
        {
            return KeyOutcome.NotRotatable;
        }

        await session.Execute(Replace, new { organization = key.OrganizationId, old, until, key.Id }, ct);
        await Insert(session, key, ct);
        await AuditRepository.Append(session, key.OrganizationId, entry, ct);
        return KeyOutcome.Done;
    }, ct);

    /// <summary>Ends a key at once.</summary>
    /// <returns>False when the organization has none of that id that was not revoked before.</returns>
    public Task<bool> Revoke(string organization, string id, AuditEntry entry, CancellationToken ct) => db.Write(organization, async session =>
    {
        const string Sql = """
            -- ApiKeys.Revoke
            update api_keys
            set revoked_at = @OccurredAt
            where organization_id = @organization and id = @id and revoked_at is null
            """;

        if (await session.Execute(Sql, new { organization, id, entry.OccurredAt }, ct) == 0)
        {
            return false;
        }

        await AuditRepository.Append(session, organization, entry, ct);
        return true;
    }, ct);

    /// <summary>Notes when keys of an organization were last used; never backwards.</summary>
    public Task Used(string organization, IReadOnlyList<(string Id, DateTimeOffset At)> uses, CancellationToken ct) => db.Write(organization, async session =>
    {
        var rows = new Rows<(string Id, DateTimeOffset At)>(
            new Column<(string Id, DateTimeOffset At), string>("id", use => use.Id),
            new Column<(string Id, DateTimeOffset At), DateTimeOffset>("used_at", use => use.At));
        const string Sql = """
            -- ApiKeys.Used
            update api_keys
            set last_used_at = rows.used_at
            from rows
            where api_keys.organization_id = @organization and api_keys.id = rows.id
              and (api_keys.last_used_at is null or api_keys.last_used_at < rows.used_at)
            """;

        // In the order of their ids, as every replica does, so that none waits for another in a circle.
        return await session.Run<(string Id, DateTimeOffset At), int>(Sql, rows, [.. uses.OrderBy(use => use.Id, StringComparer.Ordinal)], ct);
    }, ct);

    internal static async Task<bool> Insert(Session session, ApiKey key, CancellationToken ct)
    {
        const string Sql = """
            -- ApiKeys.Insert
            insert into api_keys (organization_id, id, name, secret_hash, scopes, created_at, created_by, expires_at)
            values (@organization, @Id, @Name, @SecretHash, @Scopes, @CreatedAt, @CreatedBy, @ExpiresAt)
            on conflict (organization_id, id) do nothing
            """;

        return await session.Execute(
            Sql, new { organization = key.OrganizationId, key.Id, key.Name, key.SecretHash, key.Scopes, key.CreatedAt, key.CreatedBy, key.ExpiresAt }, ct) == 1;
    }

    private sealed record Replaceable
    {
        public required string Id { get; init; }
        public string? ReplacedBy { get; init; }
    }
}

/// <summary>What became of a new key.</summary>
public enum KeyOutcome
{
    /// <summary>It is there.</summary>
    Done,

    /// <summary>Its id was there before: a repeat of a request.</summary>
    IdTaken,

    /// <summary>The organization has <see cref="ApiKeyRepository.Most"/> live keys.</summary>
    TooMany,

    /// <summary>The old key has ended, or was replaced by one that is still live.</summary>
    NotRotatable,
}
