namespace Catalog.Data.Organizations;

/// <summary>What an organization may register and how often it may ask.</summary>
/// <param name="Name">As stored and shown.</param>
/// <param name="Pipelines">How many pipelines may be registered at once; null: any number.</param>
/// <param name="Connections">How many connections; null: any number.</param>
/// <param name="RequestsPerMinute">How many requests a minute, which is also the largest burst; null: any number.</param>
public sealed record Plan(string Name, int? Pipelines, int? Connections, int? RequestsPerMinute)
{
    /// <summary>What an operator gives to their own people.</summary>
    public static Plan SelfHosted { get; } = new("self_hosted", null, null, null);

    /// <summary>What an organization has that pays nothing.</summary>
    public static Plan Free { get; } = new("free", 3, 2, 100);

    /// <summary>The smaller plan that is paid for.</summary>
    public static Plan Team { get; } = new("team", 25, 10, 500);

    /// <summary>The larger plan that is paid for.</summary>
    public static Plan Business { get; } = new("business", null, null, 2000);

    /// <summary>All plans, those that are sold from the smallest to the largest.</summary>
    public static IReadOnlyList<Plan> All { get; } = [Free, Team, Business, SelfHosted];

    /// <summary>The plan of that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Plan Of(string name) => All.FirstOrDefault(plan => plan.Name == name) ?? throw new ArgumentException("There is no such plan.", nameof(name));
}

/// <summary>A registration was refused because the organization's plan ends there.</summary>
/// <param name="Plan">The plan that it has.</param>
/// <param name="What">What there would be too many of, in the plural: <c>pipelines</c> or <c>connections</c>.</param>
/// <param name="Most">How many the plan allows.</param>
/// <param name="Enough">The smallest plan that would do.</param>
public sealed record CeilingReached(Plan Plan, string What, int Most, Plan Enough);
