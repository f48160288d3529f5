namespace Catalog.Data.Database;

/// <summary>
/// Whether row-level security isolates organizations, in addition to the condition in every statement.
/// </summary>
/// <param name="IsEnforced">
/// True when a statement without its organization condition finds no row of another organization.
/// </param>
/// <param name="Description">For an operator: how isolation is enforced, or why it is not and how to fix it.</param>
/// <param name="BlocksStatements">
/// Whether statements fail while isolation is not enforced: because it is required, or because it was enforced before
/// and the role no longer exists.
/// </param>
public sealed record Isolation(bool IsEnforced, string Description, bool BlocksStatements);

/// <summary>
/// The lookups that run before the organization is known. Under row-level security, each lookup can see only the rows
/// that its key names. This list is complete.
/// </summary>
public enum LookUp
{
    /// <summary>An API key by its public id, taken from the request.</summary>
    ApiKey,

    /// <summary>An organization by its Stripe customer, taken from a Stripe event.</summary>
    StripeCustomer,

    /// <summary>
    /// The organizations with due executions and schedules. The key is the current Unix time in milliseconds.
    /// </summary>
    DueWork,
}

/// <summary>
/// The context that row-level security needs for the statements on one connection. It is sent in the same round trip as
/// the statement.
/// </summary>
/// <param name="Sql">Sets role and context for the transaction; null when nothing must be set.</param>
/// <param name="Value">The organization or key whose rows are visible.</param>
internal readonly record struct Context(ContextSql? Sql, string Value)
{
    public const string Parameter = "app_context";
}
