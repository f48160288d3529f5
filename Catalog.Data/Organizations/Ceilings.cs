using Catalog.Data.Database;

namespace Catalog.Data.Organizations;

/// <summary>Holds registrations to the organization's plan, inside their transaction.</summary>
internal static class Ceilings
{
    /// <summary>
    /// The plan, where it has a ceiling, with the organization's row locked until the transaction ends: of two registrations at once the second
    /// counts what the first has stored. Null, and nothing is locked, where there is none.
    /// </summary>
    public static async Task<Plan?> Lock(Session session, string organization, CancellationToken ct)
    {
        const string Sql = """
            -- Ceilings.Lock
            update organizations
            set plan = plan
            where organization_id = @organization and plan in ('free', 'team')
            returning plan
            """;

        return await session.One<string>(Sql, new { organization }, ct) is { } plan ? Plan.Of(plan) : null;
    }

    /// <summary>What is said when there would be <paramref name="count"/> of something, or null when the plan allows it.</summary>
    /// <param name="plan">The organization's.</param>
    /// <param name="what">In the plural.</param>
    /// <param name="most">How many a plan allows.</param>
    /// <param name="count">How many there would be.</param>
    public static CeilingReached? Reached(Plan plan, string what, Func<Plan, int?> most, long count) =>
        most(plan) is { } ceiling && count > ceiling ? new(plan, what, ceiling, Plan.All.First(larger => most(larger) is not { } enough || count <= enough)) : null;
}
