using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Catalog.Api.Http;

/// <summary>
/// The <c>Idempotency-Key</c> header of a POST whose body contains no id. The id of the new row is a hash of the
/// organization, the route, the key and the index of the item. So the stored row itself shows whether a repeated
/// request has the same body. No look-up and no table of keys is needed.
/// </summary>
internal readonly record struct IdempotencyKey(string? Header, bool Valid)
{
    public static ValueTask<IdempotencyKey> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var values = context.Request.Headers["Idempotency-Key"];
        var key = values.Count > 0 ? values.ToString() : null;
        var valid = values.Count == 0
            || (values.Count == 1 && key is { Length: > 0 and <= 255 } && key.All(character => character is >= ' ' and <= '~'));
        return ValueTask.FromResult(new IdempotencyKey(key, valid));
    }

    /// <summary>The problem to answer with when the header is not valid; otherwise null.</summary>
    public Problem? Refusal =>
        Valid ? null : Problems.Invalid("Idempotency-Key", "must be given once, as 1 to 255 visible ASCII characters.");

    /// <summary>The id for the item at an index of the body; null when the client sent no key.</summary>
    public string? IdOf(Caller caller, string route, int index) => Header is null ? null
        : new Guid(SHA256.HashData(
            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{caller.Organization}\0{route}\0{Header}\0{index}")))
                .AsSpan(0, 16), bigEndian: true).ToString();
}

/// <summary>Marks a route that accepts Idempotency-Key, for the OpenAPI document.</summary>
internal sealed record AcceptsIdempotencyKeyMetadata;
