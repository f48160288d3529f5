using System.Security.Claims;
using System.Security.Cryptography;
using Catalog.Api.Authentication;
using Catalog.Api.Http;

namespace Catalog.Api.SignIn;

/// <summary>
/// The encrypted content of the session cookie. It says who signed in, and never contains the key itself. Each request
/// finds the caller of the ticket again, so a session ends when its key ends.
/// </summary>
internal sealed class SessionTicket(KeyVerifier verifier, ApiKeyCache keys, EndedSessions ended)
{
    private const string Organization = "organization";
    private const string Actor = "actor";
    private const string Kind = "kind";
    private const string Fingerprint = "fingerprint";
    private const string Session = "session";

    /// <summary>The ticket of a caller who sent a valid key.</summary>
    /// <param name="user">The principal of the key.</param>
    /// <param name="key">The key.</param>
    public ClaimsPrincipal OfKey(ClaimsPrincipal user, string key)
    {
        var caller = Caller.Of(user);
        return verifier.IsPlatformKey(key) ? New(caller, "operator", new Claim(Fingerprint, verifier.PlatformKeyFingerprint!))
            : KeyText.TryParse(key, out _) ? New(caller, "key")
            : New(caller, "development");
    }

    /// <summary>The ticket of a user of an OpenID provider. The ticket keeps its scopes until it expires.</summary>
    public static ClaimsPrincipal OfToken(Caller caller) =>
        New(caller, "token", [.. caller.Scopes.Select(scope => new Claim("scope", scope))]);

    /// <summary>
    /// Finds the caller of a ticket. The result is null when the session has ended: the reader has signed out, or the
    /// key has expired, was revoked or was replaced.
    /// </summary>
    public async ValueTask<ClaimsPrincipal?> Find(HttpContext context, ClaimsPrincipal ticket)
    {
        string Value(string name) => ticket.FindFirstValue(name) ?? "";
        if (await ended.Contain(Value(Session), context.RequestAborted))
        {
            return null;
        }

        return Value(Kind) switch
        {
            "key" => await keys.FindById(Value(Organization), Value(Actor), context.RequestAborted),
            "operator" => Value(Fingerprint) == verifier.PlatformKeyFingerprint ? KeyVerifier.Operator : null,
            "development" => verifier.DevelopmentKeysWork(context) ? KeyVerifier.DevelopmentKey(Value(Actor)) : null,
            "token" => CallerServices.Principal(
                Value(Actor), Value(Organization), [.. ticket.FindAll("scope").Select(scope => scope.Value)]),
            _ => null,
        };
    }

    /// <summary>
    /// Whether the session of a request is still valid. A response that takes long asks this again and again.
    /// </summary>
    public async ValueTask<bool> StillValid(HttpContext context) =>
        context.Items[typeof(SessionTicket)] is ClaimsPrincipal ticket && await Find(context, ticket) is not null;

    /// <summary>
    /// Ends the session of a request, also for copies of its cookie. Without a session nothing happens.
    /// </summary>
    public async Task End(HttpContext context)
    {
        if (context.Items[typeof(SessionTicket)] is ClaimsPrincipal ticket && ticket.FindFirstValue(Session) is { } session)
        {
            await ended.End(session);
        }
    }

    private static ClaimsPrincipal New(Caller caller, string kind, params Claim[] more) => new(new ClaimsIdentity(
        [
            new(Kind, kind), new(Organization, caller.Organization), new(Actor, caller.Actor),
            new(Session, RandomNumberGenerator.GetHexString(32, lowercase: true)), .. more,
        ], SignInServices.Scheme));
}
