namespace Catalog.Data.Database;

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
