using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication;

/// <summary>Caches the plans of organizations for <see cref="ApiKeyCache.Lifetime"/>.</summary>
internal sealed class PlanCache(OrganizationRepository organizations) : IDisposable
{
    private readonly ExpiringCache<Plan?> _plans = new(ApiKeyCache.Lifetime, 50_000, async id =>
        await organizations.Find(id, CancellationToken.None) is { } organization ? Plan.Of(organization.Plan) : null);

    /// <summary>The plan of an organization; null when the organization does not exist.</summary>
    public ValueTask<Plan?> PlanOf(string organization, CancellationToken ct) =>
        organization == Organization.Default ? ValueTask.FromResult<Plan?>(Plan.SelfHosted) : _plans.Get(organization, ct);

    /// <summary>Removes a changed organization. Its next request reads the database.</summary>
    public void Forget(string organization) => _plans.Forget(organization);

    public void Dispose() => _plans.Dispose();
}
