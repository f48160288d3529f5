using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Catalog.Tests.Support;

namespace Catalog.Tests.Authentication;

/// <summary>
/// Tokens that must be refused, each with the reason expected in the log. Each is valid except for the named fault.
/// </summary>
public sealed class ForgedTokens
{
    private const string NoKey = "SecurityTokenSignatureKeyNotFoundException";
    private const string BadSignature = "SecurityTokenInvalidSignatureException";
    private const string Unreadable = "ArgumentException";
    private const string BadParts = "not three parts";
    private const string BadTyp = "not the type of an access token";
    private const string BadHeader = "header is not a JSON object";
    private const string BadPayload = "payload is not a JSON object";
    private const string IdToken = "is an id token";
    private const string BadIssuer = "issuer is not trusted";
    private const string BadAudience = "SecurityTokenInvalidAudienceException";
    private const string NoEnd = "no expiry time";
    private const string Ended = "SecurityTokenExpiredException";
    private const string NotYet = "SecurityTokenNotYetValidException";
    private const string Future = "issued in the future";
    private const string NoSubject = "no subject";
    private const string NoOrganization = "no organization";
    private const string BadScopes = "scopes are not text";

    private readonly Issuer _issuer;
    private readonly IssuerKey _stranger = IssuerKey.Rsa("rsa");
    private readonly IssuerKey _weak = IssuerKey.Rsa("weak", 1024);
    private readonly IssuerKey _large = IssuerKey.Elliptic("large", ECCurve.NamedCurves.nistP384);
    private readonly IssuerKey _encryption = IssuerKey.Rsa("encryption");
    private readonly IssuerKey _wrapping = IssuerKey.Rsa("wrapping");
    private readonly IssuerKey _other = IssuerKey.Rsa("rs512");
    private readonly IssuerKey _pssOnly = IssuerKey.Rsa("pss-only");
    private readonly IssuerKey _published = IssuerKey.Rsa("published");
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    public ForgedTokens(Issuer issuer)
    {
        _issuer = issuer;
        _issuer.PublishedKeys.AddRange([
            _weak.Jwk(), _large.Jwk(), _encryption.Jwk(("use", "enc")), _wrapping.Jwk(("key_ops", new JsonArray("wrapKey"))),
            _other.Jwk(("alg", "RS512")),
            _pssOnly.Jwk(("alg", "PS256")), _published.Jwk(("d", Token.Encode("private"))),
            new JsonObject { ["kid"] = "secret", ["kty"] = "oct", ["k"] = Token.Encode(_secret) },
            // An invalid key must not stop the service from using the valid keys.
            new JsonObject { ["kid"] = "off the curve", ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Token.Encode(new byte[32]),
                ["y"] = Token.Encode(_secret) },
        ]);
    }

    public static IEnumerable<string> Names => Rows.Keys;

    public static string Reason(string name) => Rows[name].Reason;

    public string Make(string name) => Rows[name].Make(this);

    private string Payload(Action<JsonObject> change) => _issuer.CreateToken(payload: change);

    private string Header(Action<JsonObject> change) => _issuer.CreateToken(header: change);

    private string Hmac(byte[] secret, string id)
    {
        var header = new JsonObject { ["alg"] = "HS256", ["typ"] = "at+jwt", ["kid"] = id };
        return Token.Close($"{Token.Encode(Issuer.Text(header))}.{Token.Encode(Issuer.Text(_issuer.Payload()))}", signed =>
            HMACSHA256.HashData(secret, signed));
    }

    private string Unsigned(string algorithm) =>
        Token.With(_issuer.CreateToken(header: header => header["alg"] = algorithm), 2, _ => "");

    private string RawPayload(string text) => Token.Sign(_issuer.Rsa, "RS256", Issuer.Text(Issuer.Header(_issuer.Rsa, "RS256")), text);

    private string RawHeader(string text) => Token.Sign(_issuer.Rsa, "RS256", text, Issuer.Text(_issuer.Payload()));

    private static string AppendMember(string json, string member) => json[..^1] + member + "}";

    private string Elliptic(Func<byte[], byte[]> sign)
    {
        var token = _issuer.CreateToken(_issuer.Elliptic, "ES256");
        return Token.Close(token[..token.LastIndexOf('.')], sign);
    }

    private RSA RsaPair => (RSA)_issuer.Rsa.Pair;

    private static readonly Dictionary<string, (Func<ForgedTokens, string> Make, string Reason)> Rows = new()
    {
        ["alg none"] = (forge => forge.Unsigned("none"), BadSignature),
        ["alg None"] = (forge => forge.Unsigned("None"), BadSignature),
        ["alg absent"] = (forge => forge.Header(header => header["alg"] = null), NoKey),
        ["alg rs256"] = (forge => forge.Header(header => header["alg"] = "rs256"), NoKey),
        ["alg RS384"] = (forge => forge.Header(header => header["alg"] = "RS384"), NoKey),
        ["alg in an array"] = (forge => forge.Header(header => header["alg"] = new JsonArray("RS256")), Unreadable),
        ["no signature"] = (forge => forge.Unsigned("RS256"), BadSignature),
        ["HMAC with the public key, PEM"] = (forge =>
            forge.Hmac(Encoding.ASCII.GetBytes(forge.RsaPair.ExportSubjectPublicKeyInfoPem()), "rsa"), NoKey),
        ["HMAC with the public key, DER"] = (forge => forge.Hmac(forge.RsaPair.ExportSubjectPublicKeyInfo(), "rsa"), NoKey),
        ["HMAC with the modulus"] = (forge => forge.Hmac(forge.RsaPair.ExportParameters(false).Modulus!, "rsa"), NoKey),
        ["HMAC with a secret of the key set"] = (forge => forge.Hmac(forge._secret, "secret"), NoKey),

        ["elliptic algorithm, RSA key"] = (forge =>
            forge._issuer.CreateToken(forge._issuer.Elliptic, "ES256", header: header => header["kid"] = "rsa"), NoKey),
        ["RSA algorithm, elliptic key"] = (forge => forge.Header(header => header["kid"] = "elliptic"), NoKey),
        ["RS256 under a key for PS256"] = (forge => forge._issuer.CreateToken(forge._pssOnly), NoKey),
        ["alg RS256, signed with PS256"] =
            (forge => forge._issuer.CreateToken(algorithm: "PS256", header: header => header["alg"] = "RS256"),
            BadSignature),
        ["alg PS256, signed with RS256"] = (forge => forge._issuer.CreateToken(header: header => header["alg"] = "PS256"), BadSignature),
        ["a weak key"] = (forge => forge._issuer.CreateToken(forge._weak), NoKey),
        ["another curve"] = (forge => forge._issuer.CreateToken(forge._large, "ES256"), NoKey),
        ["a key for encryption"] = (forge => forge._issuer.CreateToken(forge._encryption), NoKey),
        ["a key for wrapping"] = (forge => forge._issuer.CreateToken(forge._wrapping), NoKey),
        ["a key for another algorithm"] = (forge => forge._issuer.CreateToken(forge._other), NoKey),
        ["a key whose private half is public"] = (forge => forge._issuer.CreateToken(forge._published), NoKey),
        ["a stranger's key"] = (forge => forge._issuer.CreateToken(forge._stranger), BadSignature),

        ["kid is a path"] = (forge => forge.Header(header => header["kid"] = "../../../../dev/null"), NoKey),
        ["kid is SQL"] = (forge => forge.Header(header => header["kid"] = "x' union select 'key' --"), NoKey),
        ["kid is an address"] = (forge => forge.Header(header => header["kid"] = forge._issuer.Authority + "/strangers-keys"), NoKey),
        ["kid is a number"] = (forge => forge.Header(header => header["kid"] = 1), "kid that is empty or not a string"),
        ["kid is empty"] = (forge => forge.Header(header => header["kid"] = ""), "kid that is empty or not a string"),
        ["kid absent while several keys fit"] =
            (forge => forge._issuer.CreateToken(algorithm: "PS256", header: header => header["kid"] = null),
            NoKey),
        ["jku names a stranger's keys"] = (forge => forge._issuer.CreateToken(forge._stranger, header: header =>
            header["jku"] = forge._issuer.Authority + "/strangers-keys"), BadSignature),
        ["x5u names a stranger's certificate"] = (forge =>
            forge._issuer.CreateToken(forge._stranger, header: header => header["x5u"] = forge._issuer.Authority + "/certificate"),
            BadSignature),
        ["jwk contains a stranger's key"] = (forge =>
            forge._issuer.CreateToken(forge._stranger, header: header => header["jwk"] = forge._stranger.Jwk()), BadSignature),
        ["jwk contains a stranger's key with a new kid"] = (forge =>
            forge._issuer.CreateToken(forge._stranger with { Id = "new" }, header: header =>
                header["jwk"] = (forge._stranger with { Id = "new" }).Jwk()), NoKey),
        ["crit"] = (forge => forge.Header(header => { header["crit"] = new JsonArray("exp"); header["exp"] = 1; }),
            "requires an extension"),
        ["crit, empty"] = (forge => forge.Header(header => header["crit"] = new JsonArray()), "requires an extension"),
        ["unencoded payload (RFC 7797)"] = (forge =>
            forge.Header(header => { header["crit"] = new JsonArray("b64"); header["b64"] = false; }), "requires an extension"),

        ["typ of a logout token"] = (forge => forge.Header(header => header["typ"] = "logout+jwt"), BadTyp),
        ["typ of a proof"] = (forge => forge.Header(header => header["typ"] = "dpop+jwt"), BadTyp),
        ["typ is not text"] = (forge => forge.Header(header => header["typ"] = new JsonArray("at+jwt")), BadTyp),
        ["id token: nonce"] = (forge => forge.Payload(payload => payload["nonce"] = "n"), IdToken),
        ["id token: at_hash"] = (forge => forge.Payload(payload => payload["at_hash"] = "h"), IdToken),
        ["id token: c_hash"] = (forge => forge.Payload(payload => payload["c_hash"] = "h"), IdToken),

        ["iss absent"] = (forge => forge.Payload(payload => payload["iss"] = null), BadIssuer),
        ["iss of another"] = (forge => forge.Payload(payload => payload["iss"] = "https://login.example"), BadIssuer),
        ["iss with an extra slash"] = (forge => forge.Payload(payload => payload["iss"] = forge._issuer.Authority + "/"), BadIssuer),
        ["iss in another case"] = (forge => forge.Payload(payload => payload["iss"] = forge._issuer.Authority.ToUpperInvariant()),
            BadIssuer),
        ["iss in an array"] = (forge => forge.Payload(payload => payload["iss"] = new JsonArray(forge._issuer.Authority)), BadIssuer),
        ["aud absent"] = (forge => forge.Payload(payload => payload["aud"] = null), BadAudience),
        ["aud of another"] = (forge => forge.Payload(payload => payload["aud"] = "https://billing.example"), BadAudience),
        ["aud begins like ours"] = (forge => forge.Payload(payload => payload["aud"] = Issuer.Audience + ".evil.example"), BadAudience),
        ["aud empty"] = (forge => forge.Payload(payload => payload["aud"] = new JsonArray()), BadAudience),
        ["aud contains ours and a number"] = (forge => forge.Payload(payload => payload["aud"] = new JsonArray(Issuer.Audience, 1)),
            Unreadable),
        ["aud is an object"] = (forge => forge.Payload(payload => payload["aud"] = new JsonObject { [Issuer.Audience] = true }),
            Unreadable),

        ["exp absent"] = (forge => forge.Payload(payload => payload["exp"] = null), "SecurityTokenNoExpirationException"),
        ["exp is text"] = (forge => forge.Payload(payload => payload["exp"] = $"{forge._issuer.Clock.Seconds + 300}"), NoEnd),
        ["exp beyond the last date"] = (forge => forge.Payload(payload => payload["exp"] = 1e300), Unreadable),
        ["exp is negative"] = (forge => forge.Payload(payload => payload["exp"] = -1), Ended),
        ["exp past the leeway"] = (forge => forge.Payload(payload => payload["exp"] = forge._issuer.Clock.Seconds - 30), Ended),
        ["exp zero"] = (forge => forge.Payload(payload => payload["exp"] = 0), Ended),
        ["nbf past the leeway"] = (forge => forge.Payload(payload => payload["nbf"] = forge._issuer.Clock.Seconds + 31), NotYet),
        ["nbf is text"] = (forge => forge.Payload(payload => payload["nbf"] = "0"), Future),
        ["iat past the leeway"] = (forge => forge.Payload(payload => payload["iat"] = forge._issuer.Clock.Seconds + 31), Future),
        ["iat is text"] = (forge => forge.Payload(payload => payload["iat"] = "0"), Future),

        ["sub absent"] = (forge => forge.Payload(payload => payload["sub"] = null), NoSubject),
        ["sub empty"] = (forge => forge.Payload(payload => payload["sub"] = ""), NoSubject),
        ["sub contains a line break"] = (forge => forge.Payload(payload => payload["sub"] = "a\nb"), NoSubject),
        ["sub is half a surrogate pair"] = (forge =>
            forge.RawPayload(AppendMember(Issuer.Text(forge._issuer.Payload()).Replace("loader", "\\ud800", StringComparison.Ordinal), "")),
            Unreadable),
        ["organization absent"] = (forge => forge.Payload(payload => payload["organization"] = null), NoOrganization),
        ["organization empty"] = (forge => forge.Payload(payload => payload["organization"] = ""), NoOrganization),
        ["organization blank"] = (forge => forge.Payload(payload => payload["organization"] = " "), NoOrganization),
        ["organization in an array"] = (forge => forge.Payload(payload => payload["organization"] = new JsonArray("default")),
            NoOrganization),
        ["organization default, which cannot be registered"] = (forge => forge.Payload(payload => payload["organization"] = "default"),
            "only DATAXPIPE_OIDC_ORGANIZATION or"),
        ["organization is a number"] = (forge => forge.Payload(payload => payload["organization"] = 1), NoOrganization),
        ["organization of 257 characters"] = (forge => forge.Payload(payload => payload["organization"] = new string('x', 257)),
            NoOrganization),
        ["scope in an array"] = (forge => forge.Payload(payload => payload["scope"] = new JsonArray("read")), BadScopes),
        ["scp holds a number"] = (forge =>
            forge.Payload(payload => { payload["scope"] = null; payload["scp"] = new JsonArray("read", 1); }), BadScopes),

        ["duplicate member in the payload"] = (forge =>
            forge.RawPayload(AppendMember(Issuer.Text(forge._issuer.Payload()), $",\"organization\":\"{forge._issuer.Organization}\"")),
            BadPayload),
        ["duplicate member in the payload, once escaped"] = (forge =>
            forge.RawPayload(AppendMember(Issuer.Text(forge._issuer.Payload()), ",\"su\\u0062\":\"loader\"")), BadPayload),
        ["duplicate member in an inner object"] = (forge =>
            forge.RawPayload(AppendMember(Issuer.Text(forge._issuer.Payload()), ",\"x\":{\"y\":1,\"y\":2}")), BadPayload),
        ["duplicate member in the header"] = (forge =>
            forge.RawHeader("{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"rsa\",\"alg\":\"RS256\"}"), BadHeader),
        ["payload is an array"] = (forge => forge.RawPayload("[]"), BadPayload),
        ["payload is empty"] = (forge => forge.RawPayload(""), BadPayload),
        ["payload with a comment"] = (forge => forge.RawPayload(AppendMember(Issuer.Text(forge._issuer.Payload()), "/**/")), BadPayload),
        ["payload is two objects"] = (forge => forge.RawPayload(Issuer.Text(forge._issuer.Payload()) + "{}"), BadPayload),
        ["payload is deep"] = (forge =>
            forge.RawPayload(AppendMember(Issuer.Text(forge._issuer.Payload()), $",\"x\":{new string('[', 64)}{new string(']', 64)}")),
            BadPayload),
        ["a name that is half a surrogate pair"] = (forge =>
            forge.RawPayload(AppendMember(Issuer.Text(forge._issuer.Payload()), ",\"\\ud800\":1,\"\\ud800\":2")), BadPayload),
        ["payload is not UTF-8"] = (forge => Token.Close(
            $"{Token.Encode(Issuer.Text(Issuer.Header(forge._issuer.Rsa, "RS256")))}.{Token.Encode([.. Encoding.UTF8.GetBytes(Issuer.Text(forge._issuer.Payload())[..^1] + ",\"x\":\""), 0xff, .. "\"}"u8])}",
            signed => forge._issuer.Rsa.Sign(signed, "RS256")), BadPayload),

        ["one byte of the payload changed"] = (forge =>
            Token.With(forge._issuer.CreateToken(), 1, part => (part[0] == 'e' ? 'f' : 'e') + part[1..]), BadPayload),
        ["scopes added to the payload"] = (forge =>
            Token.With(forge._issuer.CreateToken(), 1, _ =>
                Token.Encode(Issuer.Text(forge._issuer.Payload()).Replace("openid read", "read write", StringComparison.Ordinal))),
                    BadSignature),
        ["signature of another token"] = (forge =>
            Token.With(forge._issuer.CreateToken(), 2, _ => forge.Payload(payload => payload["jti"] = "other").Split('.')[2]),
            BadSignature),
        ["signature cut short"] = (forge => Token.With(forge._issuer.CreateToken(), 2, part => part[..^6]), BadSignature),
        ["padding"] = (forge => Token.With(forge._issuer.CreateToken(), 2, part => part + "=="), BadParts),
        ["a blank inside"] = (forge => Token.With(forge._issuer.CreateToken(), 2, part => part[..8] + " " + part[8..]), BadParts),
        ["standard base64 alphabet"] =
            (forge => Token.With(forge._issuer.CreateToken(), 2, part => part[..^8] + "+/+/" + part[^4..]), BadParts),
        ["stray bits"] = (forge => Token.With(forge._issuer.CreateToken(), 2, part => part[..^1] + (char)(part[^1] + 1)), BadSignature),
        ["an empty part"] = (forge => Token.With(forge._issuer.CreateToken(), 0, _ => ""), BadHeader),
        ["parts of one character"] = (_ => "a.b.c", BadHeader),
        ["only dots"] = (_ => "..", BadHeader),
        ["oversize"] = (forge => forge.Payload(payload => payload["x"] = new string('x', 8192)), "longer than 8 KiB"),

        ["ES256 zero signature"] = (forge => forge.Elliptic(_ => new byte[64]), BadSignature),
        ["ES256 zero r"] = (forge => forge.Elliptic(signed => [.. new byte[32], .. forge._issuer.Elliptic.Sign(signed, "ES256")[32..]]),
            BadSignature),
        ["ES256 in DER"] = (forge =>
            forge.Elliptic(signed => ((ECDsa)forge._issuer.Elliptic.Pair)
                .SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)), BadSignature),
        ["ES256 with an extra byte"] = (forge => forge.Elliptic(signed => [.. forge._issuer.Elliptic.Sign(signed, "ES256"), 0]),
            BadSignature),
        ["ES256 empty"] = (forge => forge.Elliptic(_ => []), BadSignature),
    };
}
