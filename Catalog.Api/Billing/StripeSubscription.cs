using System.Text.Json;

namespace Catalog.Api.Billing;

/// <summary>What a customer has subscribed to.</summary>
/// <param name="Id">Of the subscription.</param>
/// <param name="Status">As Stripe calls it.</param>
/// <param name="Prices">The ids of what it is made of.</param>
internal sealed record StripeSubscription(string Id, string Status, IReadOnlyList<string> Prices)
{
    /// <summary>Whether it gives its plan: also while a payment is late and Stripe still tries.</summary>
    public bool Holds => Status is "active" or "trialing" or "past_due";

    /// <exception cref="InvalidOperationException">It is no list of subscriptions.</exception>
    /// <exception cref="KeyNotFoundException">It is no list of subscriptions.</exception>
    public static IEnumerable<StripeSubscription> Read(JsonElement list) => list.GetProperty("data").EnumerateArray().Select(subscription => new StripeSubscription(
        Text(subscription.GetProperty("id")),
        Text(subscription.GetProperty("status")),
        [.. subscription.GetProperty("items").GetProperty("data").EnumerateArray().Select(item => Text(item.GetProperty("price").GetProperty("id")))]));

    private static string Text(JsonElement value) => value.GetString() ?? throw new InvalidOperationException("Null is no text.");
}
