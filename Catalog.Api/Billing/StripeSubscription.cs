using Stripe;

namespace Catalog.Api.Billing;

/// <summary>What a customer has subscribed to.</summary>
/// <param name="Id">Of the subscription.</param>
/// <param name="Status">As Stripe calls it.</param>
/// <param name="Prices">The ids of what it is made of.</param>
internal sealed record StripeSubscription(string Id, string Status, IReadOnlyList<string> Prices)
{
    /// <summary>Whether it gives its plan: also while a payment is late and Stripe still tries.</summary>
    public bool Holds => Status is "active" or "trialing" or "past_due";

    /// <summary>Takes what Stripe's library read, which lets anything be absent: an answer that says nothing must not end a plan.</summary>
    /// <exception cref="BillingException">It is no list of subscriptions.</exception>
    public static IEnumerable<StripeSubscription> Read(StripeList<Subscription> list) => Present(list.Data).Select(subscription => new StripeSubscription(
        Present(subscription?.Id), Present(subscription?.Status), [.. Present(subscription?.Items?.Data).Select(item => Present(item?.Price?.Id))]));

    private static T Present<T>(T? value) where T : class => value ?? throw new BillingException(BillingFailure.Unreachable);
}
