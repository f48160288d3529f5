using System.Collections.Concurrent;
using System.Text.Json;

namespace Catalog.Tests.Support;

/// <summary>The customers and subscriptions that the API keeps, and the events that report their changes.</summary>
public sealed partial class FakeStripe
{
    private readonly Dictionary<string, FakeSubscription> _subscriptions = new(StringComparer.Ordinal);
    private readonly Lock _subscriptionsLock = new();
    private int _created;

    /// <summary>Form fields by customer id. Null: the customer is deleted.</summary>
    public ConcurrentDictionary<string, Dictionary<string, string>?> Customers { get; } = new(StringComparer.Ordinal);

    /// <summary>Creates a subscription of a customer.</summary>
    /// <returns>The subscription's id and the event that reports it.</returns>
    public (string Id, string Event) Subscribe(string customer, string price, string status = "active")
    {
        lock (_subscriptionsLock)
        {
            var subscription = new FakeSubscription($"sub_{Interlocked.Increment(ref _created):000000}", customer, price, status);
            _subscriptions[subscription.Id] = subscription;
            return (subscription.Id, Event("customer.subscription.created", subscription.Json()));
        }
    }

    /// <summary>Changes a subscription's status, price or both; null leaves a value unchanged.</summary>
    /// <returns>The event that reports the change.</returns>
    public string Change(string id, string? status = null, string? price = null)
    {
        lock (_subscriptionsLock)
        {
            var before = _subscriptions[id];
            var subscription = _subscriptions[id] = before with { Status = status ?? before.Status, Price = price ?? before.Price };
            return Event(subscription.Status == "canceled" ? "customer.subscription.deleted" : "customer.subscription.updated",
                subscription.Json());
        }
    }

    /// <summary>Deletes a customer and cancels its subscriptions.</summary>
    /// <returns>The event that reports the deletion.</returns>
    public string Delete(string customer)
    {
        lock (_subscriptionsLock)
        {
            Customers[customer] = null;
            foreach (var subscription in _subscriptions.Values.Where(subscription => subscription.Customer == customer).ToList())
            {
                _subscriptions[subscription.Id] = subscription with { Status = "canceled" };
            }

            return Event("customer.deleted", new { id = customer, @object = "customer" });
        }
    }

    /// <summary>The customer id of an organization, which must have exactly one customer.</summary>
    public string CustomerOf(string organization) => Customers.Single(customer => customer.Value?["metadata[organization]"] == organization)
        .Key;

    /// <summary>The plan that a customer pays for now: business, team or free.</summary>
    public string PlanOf(string customer)
    {
        lock (_subscriptionsLock)
        {
            var paid = _subscriptions.Values.Where(subscription => subscription.Customer == customer
                && subscription.Status is "active" or "past_due" or "trialing").Select(subscription => subscription.Price).ToList();
            return paid.Contains(Business) ? "business" : paid.Contains(Team) ? "team" : "free";
        }
    }

    public string Event(string type, object about) => JsonSerializer.Serialize(new
    {
        id = $"evt_{Interlocked.Increment(ref _created):000000}{Guid.NewGuid():N}",
        @object = "event",
        api_version = "2026-10-28.endive",
        created = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(),
        data = new { @object = about },
        livemode = false,
        pending_webhooks = 1,
        request = new { id = (string?)null, idempotency_key = (string?)null },
        type,
    });

    // A page has only two subscriptions, so clients must read all pages.
    private string PageOfSubscriptions(string customer, bool includesCanceled, string? after)
    {
        lock (_subscriptionsLock)
        {
            var all = _subscriptions.Values
                .Where(subscription => subscription.Customer == customer && (includesCanceled || subscription.Status != "canceled"))
                .OrderByDescending(subscription => subscription.Id, StringComparer.Ordinal)
                .SkipWhile(subscription => after is not null && string.CompareOrdinal(subscription.Id, after) >= 0).ToList();
            return JsonSerializer.Serialize(new
            {
                @object = "list",
                data = all.Take(2).Select(subscription => subscription.Json()),
                has_more = all.Count > 2,
                url = "/v1/subscriptions",
            });
        }
    }

    private sealed record FakeSubscription(string Id, string Customer, string Price, string Status)
    {
        public object Json() => new
        {
            id = Id,
            @object = "subscription",
            customer = Customer,
            status = Status,
            items = new
            {
                @object = "list",
                data = new[] {
                    new { id = $"si_{Id}", @object = "subscription_item", price = new { id = Price, @object = "price" }, quantity = 1 } }
            },
        };
    }
}
