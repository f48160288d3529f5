using System.Text.Json;
using Catalog.Data.Billing;

namespace Catalog.Api.Billing;

/// <summary>
/// What is read of an event: that something happened to a customer. What is so now, Stripe is asked. Stripe's library would read all of it, and
/// refuse it for any part that another version of the API writes differently; endpoints send the version that they were made with.
/// </summary>
/// <param name="Notice">The event itself.</param>
/// <param name="Customer">Whose; null when it is nothing that a plan hangs on.</param>
internal sealed record StripeEvent(StripeNotice Notice, string? Customer)
{
    private const int LongestId = 255;

    /// <returns>Null when it is no event.</returns>
    public static StripeEvent? Read(ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64 });
            if (Text(json.RootElement, "id") is not { } id || Text(json.RootElement, "type") is not { } type
                || Child(json.RootElement, "created") is not { ValueKind: JsonValueKind.Number } created || !created.TryGetInt64(out var seconds)
                || seconds is < 0 or > 253402300799)
            {
                return null;
            }

            var about = Child(Child(json.RootElement, "data"), "object");
            return new(new() { Id = id, Type = type, CreatedAt = DateTimeOffset.FromUnixTimeSeconds(seconds), ReceivedAt = now }, CustomerOf(type, about));
        }
        // The second is what a string that holds half of a surrogate pair throws.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? CustomerOf(string type, JsonElement? about) => type switch
    {
        "customer.deleted" => Text(about, "id"),
        "checkout.session.completed" => Reference(about),
        _ when type.StartsWith("customer.subscription.", StringComparison.Ordinal) => Reference(about),
        _ => null,
    };

    // An id, or the customer itself where somebody asked for more.
    private static string? Reference(JsonElement? about) => Text(about, "customer") ?? Text(Child(about, "customer"), "id");

    private static JsonElement? Child(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } present && present.TryGetProperty(name, out var child) ? child : null;

    private static string? Text(JsonElement? parent, string name) =>
        Child(parent, name) is { ValueKind: JsonValueKind.String } child && child.GetString() is { Length: > 0 and <= LongestId } text && !text.Contains('\0', StringComparison.Ordinal) ? text : null;
}
