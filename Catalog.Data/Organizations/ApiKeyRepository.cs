using Catalog.Data.Database;

namespace Catalog.Data.Organizations;

/// <summary>Stores and reads API keys. Only hashes of secrets are stored.</summary>
public sealed class ApiKeyRepository(CatalogDatabase db)
{
    /// <summary>The maximum number of live keys of an organization.</summary>
    public const int MaxLiveKeys = 200;

    private const string Columns =
        "id, organization_id, name, secret_hash, scopes, created_at, created_by, expires_at, revoked_at, replaced_by, last_used_at";

    /// <summary>
    /// Finds the keys with an id in all organizations. There are two only if two organizations got the same random id.
    /// </summary>
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

    /// <summary>Reads one page, newest first, including expired and revoked keys.</summary>
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

    /// <returns>The key; null when the organization has no key with this id.</returns>
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

    /// <summary>
    /// Adds a key, unless its id is taken or the organization has <see cref="MaxLiveKeys"/> live keys.
    /// </summary>
    public Task<KeyOutcome> Add(ApiKey key, AuditEntry entry, CancellationToken ct) => db.Write(key.OrganizationId, async session =>
    {
        const string Live = """
            -- ApiKeys.CountLive
            select count(*)
            from api_keys
            where organization_id = @organization and revoked_at is null and (expires_at is null or expires_at > @CreatedAt)
            """;

        if (await session.One<long>(Live, new { organization = key.OrganizationId, key.CreatedAt }, ct) >= MaxLiveKeys)
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

    /// <summary>
    /// Adds a key that replaces the key <paramref name="old"/>. The old key expires at <paramref name="until"/>, or at
    /// its own expiry if that is earlier.
    /// </summary>
    public Task<KeyOutcome> Rotate(string old, ApiKey key, DateTimeOffset until, AuditEntry entry, CancellationToken ct) =>
        db.Write(key.OrganizationId, async session =>
    {
        // A concurrent rotation of the same key waits for this lock, and then sees the successor.
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
            where organization_id = @organization and id = @ReplacedBy and revoked_at is null and (expires_at is null
                or expires_at > @CreatedAt)
            """;
        const string Replace = """
            -- ApiKeys.Rotate
            update api_keys
            set replaced_by = @Id, expires_at = case when expires_at < @until then expires_at else @until end
            where organization_id = @organization and id = @old
            """;

        if (await session.One<Replaceable>(Lock, new { organization = key.OrganizationId, old, key.CreatedAt }, ct) is not { } found
            || (found.ReplacedBy is not null && await session.One<string>(
                Successor, new { organization = key.OrganizationId, found.ReplacedBy, key.CreatedAt }, ct) is not null))
        {
            return KeyOutcome.NotRotatable;
        }

        await session.Execute(Replace, new { organization = key.OrganizationId, old, until, key.Id }, ct);
        await Insert(session, key, ct);
        await AuditRepository.Append(session, key.OrganizationId, entry, ct);
        return KeyOutcome.Done;
    }, ct);

    /// <summary>Revokes a key.</summary>
    /// <returns>False when the organization has no key with this id, or it was already revoked.</returns>
    public Task<bool> Revoke(string organization, string id, AuditEntry entry, CancellationToken ct) =>
        db.Write(organization, async session =>
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

    /// <summary>
    /// Stores the time of last use of an organization's keys. An older time does not replace a newer one.
    /// </summary>
    public Task SetLastUsed(string organization, IReadOnlyList<(string Id, DateTimeOffset At)> uses, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        var rows = new InputRows<(string Id, DateTimeOffset At)>(
            new Column<(string Id, DateTimeOffset At), string>("id", use => use.Id),
            new Column<(string Id, DateTimeOffset At), DateTimeOffset>("used_at", use => use.At));
        const string Sql = """
            -- ApiKeys.SetLastUsed
            update api_keys
            set last_used_at = rows.used_at
            from rows
            where api_keys.organization_id = @organization and api_keys.id = rows.id
              and (api_keys.last_used_at is null or api_keys.last_used_at < rows.used_at)
            """;

        // Every replica sorts the keys by id, so that concurrent updates cannot deadlock.
        return await session.Run<(string Id, DateTimeOffset At),
        int>(Sql, rows, [.. uses.OrderBy(use => use.Id, StringComparer.Ordinal)], ct);
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
            Sql, new
            {
                organization = key.OrganizationId,
                key.Id,
                key.Name,
                key.SecretHash,
                key.Scopes,
                key.CreatedAt,
                key.CreatedBy,
                key.ExpiresAt
            }, ct) == 1;
    }

    private sealed record Replaceable
    {
        public required string Id { get; init; }
        public string? ReplacedBy { get; init; }
    }
}

/// <summary>The result of adding or rotating a key.</summary>
public enum KeyOutcome
{
    /// <summary>The key was added.</summary>
    Done,

    /// <summary>The id exists already, because the request was repeated.</summary>
    IdTaken,

    /// <summary>The organization has <see cref="ApiKeyRepository.MaxLiveKeys"/> live keys.</summary>
    TooMany,

    /// <summary>The old key is not live, or the key that replaced it is still live.</summary>
    NotRotatable,
}
