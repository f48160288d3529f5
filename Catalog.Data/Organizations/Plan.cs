namespace Catalog.Data.Organizations;

/// <summary>A plan: the limits of an organization.</summary>
/// <param name="Name">The name, as stored and returned by the API.</param>
/// <param name="Pipelines">The maximum number of registered pipelines; null when there is no limit.</param>
/// <param name="Connections">The maximum number of connections; null when there is no limit.</param>
/// <param name="RequestsPerMinute">
/// Requests per minute, which is also the largest burst; null when there is no limit.
/// </param>
public sealed record Plan(string Name, int? Pipelines, int? Connections, int? RequestsPerMinute)
{
    /// <summary>The plan without limits, for the operator's own organizations.</summary>
    public static Plan SelfHosted { get; } = new("self_hosted", null, null, null);

    /// <summary>The plan that costs nothing.</summary>
    public static Plan Free { get; } = new("free", 3, 2, 100);

    /// <summary>The smaller paid plan.</summary>
    public static Plan Team { get; } = new("team", 25, 10, 500);

    /// <summary>The larger paid plan.</summary>
    public static Plan Business { get; } = new("business", null, null, 2000);

    /// <summary>All plans, from the smallest to the largest.</summary>
    public static IReadOnlyList<Plan> All { get; } = [Free, Team, Business, SelfHosted];

    /// <summary>The plan with this name.</summary>
    /// <exception cref="ArgumentException">The plan does not exist.</exception>
    public static Plan Of(string name) =>
        All.FirstOrDefault(plan => plan.Name == name) ?? throw new ArgumentException("The plan does not exist.", nameof(name));
}

/// <summary>A limit of the organization's plan, which prevented a registration.</summary>
/// <param name="Plan">The organization's plan.</param>
/// <param name="ObjectKind">The plural noun of the objects: <c>pipelines</c> or <c>connections</c>.</param>
/// <param name="Limit">The limit of the plan.</param>
/// <param name="SufficientPlan">The smallest plan that allows the registration.</param>
public sealed record CeilingReached(Plan Plan, string ObjectKind, int Limit, Plan SufficientPlan);
