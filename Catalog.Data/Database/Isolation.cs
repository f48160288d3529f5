namespace Catalog.Data.Database;

/// <summary>Whether the database itself keeps organizations apart, beside the condition in every statement.</summary>
/// <param name="Held">True when a statement that forgot its condition finds nothing of another organization.</param>
/// <param name="Words">For an operator: how it is held, or why it is not and what to do.</param>
/// <param name="Refusing">Whether statements are refused because it is not held: it is required, or it was held before and the role is gone.</param>
public sealed record Isolation(bool Held, string Words, bool Refusing);

/// <summary>
/// The look-ups that come before an organization is known. Each shows, under row-level security too, the one thing that it names; there are
/// no others.
/// </summary>
public enum LookUp
{
    /// <summary>A key by its public id, which a request presents.</summary>
    ApiKey,

    /// <summary>An organization by its customer at Stripe, whom a notice names.</summary>
    StripeCustomer,
}

/// <summary>What goes before the statements of one connection, in the same round trip, so that row-level security knows for whom they run.</summary>
/// <param name="Sql">Sets the role and the context for the transaction, from the parameter <see cref="Parameter"/>; null: nothing is to be set.</param>
/// <param name="Value">The parameter's value: whose rows may be seen.</param>
internal readonly record struct Context(string? Sql, string Value)
{
    public const string Parameter = "app_context";
}
