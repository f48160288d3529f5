using Catalog.Data.Organizations;

namespace Catalog.Api.Authentication;

/// <summary>The plans of organizations, as the requests of the last seconds found them.</summary>
internal sealed class KnownOrganizations(OrganizationRepository organizations) : IDisposable
{
    private readonly ShortMemory<Plan?> _plans = new(KnownKeys.Keep, 50_000, async id =>
        await organizations.Find(id, CancellationToken.None) is { } organization ? Plan.Of(organization.Plan) : null);

    /// <summary>The plan of an organization, or null when there is no such organization.</summary>
    public ValueTask<Plan?> PlanOf(string organization, CancellationToken ct) =>
        organization == Organization.Default ? ValueTask.FromResult<Plan?>(Plan.SelfHosted) : _plans.Get(organization, ct);

    /// <summary>An organization was changed here: the next request looks again.</summary>
    public void Forget(string organization) => _plans.Forget(organization);

    public void Dispose() => _plans.Dispose();
}
