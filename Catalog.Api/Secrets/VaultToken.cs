using System.Net;
using System.Text.Json;
using Catalog.Data.Warehouses;

namespace Catalog.Api.Secrets;

/// <summary>
/// The token of the service for Vault. It is renewed when two thirds of its lease have passed, at the latest after a
/// day. If it cannot be renewed, the service signs in again.
/// </summary>
internal sealed class VaultToken(VaultHttp vault, VaultSettings settings, TimeProvider time) : IDisposable
{
    private const int MaxFileBytes = 16 * 1024;

    private readonly SemaphoreSlim _turn = new(1);
    private string? _token;
    private bool _isRenewable;
    private DateTimeOffset _renewAt;

    /// <summary>Returns the token. If necessary, renews it or signs in first.</summary>
    /// <param name="refused">The token that Vault has rejected; null on the first attempt.</param>
    /// <param name="ct">Cancels the sign-in.</param>
    /// <exception cref="WarehouseException">The sign-in failed.</exception>
    public async Task<string> Get(string? refused, CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            if (_token is not null && _token != refused && time.GetUtcNow() < _renewAt)
            {
                return _token;
            }

            if (_token is not null && _token != refused && _isRenewable && await Renew(_token, ct))
            {
                return _token;
            }

            _token = null;
            return _token = await SignIn(ct);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<string> SignIn(CancellationToken ct)
    {
        if (settings.SignIn is VaultSignIn.Token or VaultSignIn.TokenFile)
        {
            var token = settings.SignIn == VaultSignIn.Token ? settings.Identity : await ReadFile(settings.Identity, ct);
            // The renewal also returns the lease of the token. A root token has no lease.
            if (!await Renew(token, ct))
            {
                (_isRenewable, _renewAt) = (true, time.GetUtcNow() + TimeSpan.FromMinutes(5));
            }

            return token;
        }

        object body = settings.SignIn == VaultSignIn.AppRole
            ? new { role_id = settings.Identity, secret_id = settings.Proof }
            : new { role = settings.Identity, jwt = await ReadFile(settings.Proof!, ct) };
        var (status, answer) = await vault.Send($"auth/{settings.SignInMount}/login", token: null, body, ct);
        return status == HttpStatusCode.ServiceUnavailable ? throw VaultSecrets.Sealed()
            : status == HttpStatusCode.OK && Keep(answer) is { } signedIn ? signedIn
            : throw VaultHttp.Unavailable("Vault refuses the sign-in of the service. The operator must check the role and its secret.");
    }

    private async Task<bool> Renew(string token, CancellationToken ct)
    {
        var (status, answer) = await vault.Send("auth/token/renew-self", token, new { }, ct);
        return status == HttpStatusCode.ServiceUnavailable ? throw VaultSecrets.Sealed()
            : status == HttpStatusCode.OK && Keep(answer) is not null;
    }

    // Stores the lease, and returns the token from the answer; null when the answer contains no token.
    private string? Keep(JsonElement? answer)
    {
        if (answer is not { } json || !json.TryGetProperty("auth", out var auth) || auth.ValueKind != JsonValueKind.Object
            || !auth.TryGetProperty("client_token", out var token) || token.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        var seconds = auth.TryGetProperty("lease_duration", out var lease) && lease.TryGetDouble(out var value) ? value : 0;
        _isRenewable = auth.TryGetProperty("renewable", out var renewable) && renewable.ValueKind == JsonValueKind.True;
        // A token without an end (0), or with a lease of a day or more, is renewed after one day.
        _renewAt = time.GetUtcNow() + TimeSpan.FromSeconds(seconds is > 0 and < 86_400 ? seconds * 2 / 3 : 86_400);
        return token.GetString();
    }

    private static async Task<string> ReadFile(string path, CancellationToken ct)
    {
        try
        {
            var text = new FileInfo(path).Length <= MaxFileBytes ? (await File.ReadAllTextAsync(path, ct)).Trim() : "";
            // A line end in the token would end the HTTP header.
            return text.Length > 0 && text.All(letter => letter is > ' ' and <= '~') ? text
                : throw VaultHttp.Unavailable("The file with the token of the service must contain only the token: visible "
                    + "ASCII characters, at most 16 KiB. The operator must correct it.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw VaultHttp.Unavailable("The file with the token of the service cannot be read. The operator must check it.");
        }
    }
}
