using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Data.SignIn;

/// <summary>
/// Stores the sessions of the pages that users ended by signing out, until the cookies expire. All sessions are stored
/// in the organization <c>default</c>, which always exists, so that one statement reads the sessions of all
/// organizations.
/// </summary>
public sealed class EndedSessionRepository(CatalogDatabase db)
{
    /// <summary>The ended sessions whose cookies expire after the time <paramref name="after"/>.</summary>
    public Task<List<EndedSession>> List(DateTimeOffset after, CancellationToken ct)
    {
        const string Sql = """
            -- EndedSessions.List
            select id, expires_at
            from ended_sessions
            where organization_id = @organization and expires_at > @after
            """;

        return db.Many<EndedSession>(Organization.Default, Sql, new { organization = Organization.Default, after }, ct);
    }

    /// <summary>Adds an ended session, and deletes the sessions whose cookies have expired.</summary>
    public Task Add(EndedSession session, DateTimeOffset now, CancellationToken ct) => db.Write(Organization.Default, async write =>
    {
        const string Delete = """
            -- EndedSessions.DeleteExpired
            delete from ended_sessions
            where organization_id = @organization and expires_at < @now
            """;
        const string Insert = """
            -- EndedSessions.Add
            insert into ended_sessions (organization_id, expires_at, id)
            values (@organization, @ExpiresAt, @Id)
            on conflict (organization_id, expires_at, id) do nothing
            """;

        await write.Execute(Delete, new { organization = Organization.Default, now }, ct);
        return await write.Execute(Insert, new { organization = Organization.Default, session.Id, session.ExpiresAt }, ct);
    }, ct);
}

/// <summary>A session of the pages that was ended by signing out.</summary>
public sealed record EndedSession
{
    /// <summary>The random id in the session's cookie.</summary>
    public required string Id { get; init; }

    /// <summary>When the last cookie with this id expires.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}
