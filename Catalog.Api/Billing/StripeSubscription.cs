using Stripe;

namespace Catalog.Api.Billing;

/// <summary>A subscription of a customer.</summary>
/// <param name="Id">The id of the subscription.</param>
/// <param name="Status">Stripe's status word.</param>
/// <param name="Prices">The ids of the prices of its items.</param>
internal sealed record StripeSubscription(string Id, string Status, IReadOnlyList<string> Prices)
{
    /// <summary>
    /// Whether the subscription grants its plan. True also while a payment is late and Stripe retries it.
    /// </summary>
    public bool GrantsPlan => Status is "active" or "trialing" or "past_due";

    /// <summary>
    /// Converts the objects of Stripe's library, in which any field may be null. An incomplete response is an error: it
    /// must not end a plan.
    /// </summary>
    /// <exception cref="BillingException">The response is not a list of subscriptions.</exception>
    public static IEnumerable<StripeSubscription> Read(StripeList<Subscription> list) =>
        Required(list.Data).Select(subscription => new StripeSubscription(
        Required(subscription?.Id), Required(subscription?.Status),
        [.. Required(subscription?.Items?.Data).Select(item => Required(item?.Price?.Id))]));

    private static T Required<T>(T? value) where T : class => value ?? throw new BillingException(BillingFailure.Unreachable);
}
