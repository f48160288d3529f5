using Catalog.Data.Database;

namespace Catalog.Data.Organizations;

/// <summary>Stores and reads organizations.</summary>
public sealed class OrganizationRepository(CatalogDatabase db)
{
    private const string Columns = """
        organization_id as id, name, plan, stripe_customer_id, stripe_subscription_id, stripe_revision, runs_kept_days, results_kept_days, events_kept_days,
        created_at, updated_at
        """;

    /// <summary>Registers an organization and its first key.</summary>
    /// <returns>False when the id is taken.</returns>
    public Task<bool> Insert(Organization organization, ApiKey key, AuditEntry entry, CancellationToken ct) =>
        db.Write(organization.Id, async session =>
    {
        const string Sql = """
            -- Organizations.Insert
            insert into organizations (organization_id, name, plan, created_at, updated_at)
            values (@organization, @Name, @Plan, @CreatedAt, @CreatedAt)
            on conflict (organization_id) do nothing
            """;

        if (await session.Execute(Sql, new { organization = organization.Id, organization.Name, organization.Plan, organization.CreatedAt },
            ct) == 0)
        {
            return false;
        }

        await ApiKeyRepository.Insert(session, key, ct);
        await AuditRepository.Append(session, organization.Id, entry, ct);
        return true;
    }, ct);

    /// <returns>The organization; null when the id does not exist.</returns>
    public async Task<Organization?> Find(string organization, CancellationToken ct)
    {
        const string Sql = $"""
            -- Organizations.Find
            select {Columns}
            from organizations
            where organization_id = @organization
            """;

        return organization == Organization.Default
            ? new()
            {
                Id = Organization.Default,
                Name = "Default",
                Plan = Plan.SelfHosted.Name,
                CreatedAt = DateTimeOffset.UnixEpoch,
                UpdatedAt = DateTimeOffset.UnixEpoch,
            }
            : await db.One<Organization>(organization, Sql, new { organization }, ct);
    }

    /// <summary>Changes name and plan; null leaves a field unchanged.</summary>
    /// <returns>False when the organization does not exist.</returns>
    public Task<bool> Change(string organization, string? name, string? plan, AuditEntry entry, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        const string Sql = """
            -- Organizations.Change
            update organizations
            set name = coalesce(@name, name), plan = coalesce(@plan, plan), updated_at = @OccurredAt
            where organization_id = @organization
            """;

        if (await session.Execute(Sql, new { organization, name, plan, entry.OccurredAt }, ct) == 0)
        {
            return false;
        }

        await AuditRepository.Append(session, organization, entry, ct);
        return true;
    }, ct);

    /// <summary>Sets for how many days each kind of data is kept; null selects the operator's setting.</summary>
    /// <returns>False when the organization does not exist.</returns>
    public Task<bool> SetRetention(string organization, long? runs, long? results, long? events, AuditEntry entry, CancellationToken ct) =>
        db.Write(organization, async session =>
    {
        const string Sql = """
            -- Organizations.SetRetention
            update organizations
            set runs_kept_days = @runs, results_kept_days = @results, events_kept_days = @events, updated_at = @OccurredAt
            where organization_id = @organization
            """;

        if (await session.Execute(Sql, new { organization, runs, results, events, entry.OccurredAt }, ct) == 0)
        {
            return false;
        }

        await AuditRepository.Append(session, organization, entry, ct);
        return true;
    }, ct);

    /// <summary>How much of its plan an organization uses.</summary>
    public async Task<OrganizationUsage> Usage(string organization, CancellationToken ct)
    {
        const string Sql = """
            -- Organizations.Usage
            select (select count(*) from pipelines where organization_id = @organization and deleted_at is null) as pipelines,
                   (select count(*) from connections where organization_id = @organization) as connections
            """;

        return (await db.One<OrganizationUsage>(organization, Sql, new { organization }, ct))!;
    }
}
