using System.Text.Json;
using Catalog.Data.Billing;

namespace Catalog.Api.Billing;

/// <summary>
/// The fields of a webhook event that the service uses: the event's id and the customer. The current state is read from
/// Stripe afterwards. Stripe's library is not used here: it parses the complete event, and rejects it if any part comes
/// from another version of the Stripe API. Stripe sends events in the API version with which the webhook endpoint was
/// created.
/// </summary>
/// <param name="Event">The event, as it is stored.</param>
/// <param name="Customer">The id of the customer; null for an event that does not affect a plan.</param>
internal sealed record StripeWebhookBody(StripeWebhookEvent Event, string? Customer)
{
    private const int MaxIdLength = 255;

    /// <summary>Reads a webhook body.</summary>
    /// <returns>Null when the body is not an event.</returns>
    public static StripeWebhookBody? Read(ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64 });
            if (Text(json.RootElement, "id") is not { } id || Text(json.RootElement, "type") is not { } type
                || Child(json.RootElement, "created") is not { ValueKind: JsonValueKind.Number } created
                || !created.TryGetInt64(out var seconds)
                || seconds is < 0 or > 253402300799)
            {
                return null;
            }

            var subject = Child(Child(json.RootElement, "data"), "object");
            return new(new() { Id = id, Type = type, CreatedAt = DateTimeOffset.FromUnixTimeSeconds(seconds), ReceivedAt = now },
                CustomerOf(type, subject));
        }
        // A string with half of a surrogate pair throws InvalidOperationException.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? CustomerOf(string type, JsonElement? subject) => type switch
    {
        "customer.deleted" => Text(subject, "id"),
        "checkout.session.completed" => Reference(subject),
        _ when type.StartsWith("customer.subscription.", StringComparison.Ordinal) => Reference(subject),
        _ => null,
    };

    // The field contains the customer's id, or the customer object if the webhook endpoint expands it.
    private static string? Reference(JsonElement? subject) => Text(subject, "customer") ?? Text(Child(subject, "customer"), "id");

    private static JsonElement? Child(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } present && present.TryGetProperty(name, out var child) ? child : null;

    private static string? Text(JsonElement? parent, string name) =>
        Child(parent, name) is { ValueKind: JsonValueKind.String } child && child.GetString() is { Length: > 0 and <= MaxIdLength } text
            && !text.Contains('\0', StringComparison.Ordinal) ? text : null;
}
