using System.Net;
using System.Text.Json;
using Catalog.Data.Warehouses;

namespace Catalog.Api.Secrets;

/// <summary>Reads secrets of the key-value engine of Vault, versions 1 and 2.</summary>
internal sealed class VaultSecrets(VaultHttp vault, VaultToken tokens)
{
    /// <summary>The error of a sealed Vault.</summary>
    public static WarehouseException Sealed() => VaultHttp.Unavailable("Vault is sealed. The operator must unseal it.");

    /// <summary>Reads a secret.</summary>
    /// <returns>The value and its lease; the lease is null when the secret has none.</returns>
    /// <exception cref="WarehouseException">The secret could not be read.</exception>
    public async Task<(string Value, TimeSpan? Lease)> Read(SecretPath path, CancellationToken ct)
    {
        var token = await tokens.Get(refused: null, ct);
        var (status, body) = await vault.Send(path.Path, token, body: null, ct);
        if (status == HttpStatusCode.Forbidden && await IsRefused(token, ct))
        {
            // The token was revoked or replaced.
            token = await tokens.Get(token, ct);
            (status, body) = await vault.Send(path.Path, token, body: null, ct);
            if (status == HttpStatusCode.Forbidden && await IsRefused(token, ct))
            {
                throw VaultHttp.Unavailable(
                    "Vault rejected the token of the service: it expired or was revoked. The operator must set a new one.");
            }
        }

        return status switch
        {
            HttpStatusCode.OK when body is { } json => Value(json, path.Key),
            HttpStatusCode.ServiceUnavailable => throw Sealed(),
            HttpStatusCode.Forbidden => throw VaultHttp.Unavailable(
                "Vault forbids the service to read the secret. The operator must allow the path in the policy of the service."),
            HttpStatusCode.NotFound => throw VaultHttp.Unavailable("The secret is not found in Vault. Check the path."),
            _ => throw VaultHttp.Unavailable("The response of Vault is not valid. The operator must check the address and the state "
                + "of Vault."),
        };
    }

    private async Task<bool> IsRefused(string token, CancellationToken ct) =>
        (await vault.Send("auth/token/lookup-self", token, body: null, ct)).Status == HttpStatusCode.Forbidden;

    private static (string Value, TimeSpan? Lease) Value(JsonElement json, string? key)
    {
        if (!json.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object)
        {
            throw VaultHttp.Unavailable("The response of Vault is not valid. The operator must check the address and the state of Vault.");
        }

        // Version 2 of the engine puts the secret one level deeper.
        if (data.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
            && data.TryGetProperty("data", out var inner))
        {
            data = inner.ValueKind == JsonValueKind.Object ? inner
                : throw VaultHttp.Unavailable("The secret is not found in Vault: its newest version is deleted. Check the path.");
        }

        var keys = data.EnumerateObject().Select(member => member.Name).ToList();
        var value = (key ?? (keys is [var only] ? only : "value")) is var name && data.TryGetProperty(name, out var found)
            ? found : default;
        var lease = json.TryGetProperty("lease_duration", out var seconds) && seconds.ValueKind == JsonValueKind.Number
            && seconds.TryGetInt32(out var length) && length > 0 ? TimeSpan.FromSeconds(length) : (TimeSpan?)null;
        return value.ValueKind == JsonValueKind.String ? (value.GetString()!, lease)
            : value.ValueKind == JsonValueKind.Number ? (value.GetRawText(), lease)
            : throw VaultHttp.Unavailable("The secret in Vault has no text with this key. Write the key after #, such as path#password.");
    }
}
