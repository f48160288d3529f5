using Catalog.Data.Database;

namespace Catalog.Data.Organizations;

/// <summary>Enforces the limits of the organization's plan in the transaction of a registration.</summary>
internal static class PlanEnforcement
{
    /// <summary>
    /// Locks the organization's row until the transaction ends, if its plan has limits. A concurrent registration
    /// waits, so that its count includes the object that this transaction adds.
    /// </summary>
    /// <returns>The plan; null, without a lock, when the plan has no limits.</returns>
    public static async Task<Plan?> Lock(Session session, string organization, CancellationToken ct)
    {
        const string Sql = """
            -- PlanEnforcement.Lock
            update organizations
            set plan = plan
            where organization_id = @organization and plan in ('free', 'team')
            returning plan
            """;

        return await session.One<string>(Sql, new { organization }, ct) is { } plan ? Plan.Of(plan) : null;
    }

    /// <summary>Compares a number of objects with the limit of a plan.</summary>
    /// <returns>
    /// The limit that was exceeded, with the smallest plan that allows the count; null when the count is allowed.
    /// </returns>
    /// <param name="plan">The organization's plan.</param>
    /// <param name="what">The plural noun of the objects, such as <c>connections</c>.</param>
    /// <param name="most">Returns the limit of a plan; null when it has none.</param>
    /// <param name="count">The number of objects after the registration.</param>
    public static CeilingReached? Reached(Plan plan, string what, Func<Plan, int?> most, long count) =>
        most(plan) is { } ceiling && count > ceiling
            ? new(plan, what, ceiling, Plan.All.First(larger => most(larger) is not { } enough || count <= enough)) : null;
}
