using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Microsoft.AspNetCore.WebUtilities;

namespace Catalog.Api.Http;

/// <summary>Every failure that a client can act on, with its stable code: the error documentation of the service.</summary>
internal static class Problems
{
    public static Problem Malformed(string detail) => new(400, "malformed", detail);

    public static Problem SignatureInvalid() => new(400, "signature_invalid", "Stripe-Signature does not fit the body as it came, or its time is more than 5 minutes away.");

    public static Problem Unauthorized() =>
        new(401, "unauthorized", "Send a valid key as X-API-KEY, or as Authorization: Bearer.") { WwwAuthenticate = "Bearer realm=\"catalog\"" };

    public static Problem DevelopmentKeyFromAfar() => new(401, "unauthorized",
        "Development keys are for loopback only: ask this machine itself, as localhost, 127.0.0.1 or [::1], with no proxy in between (a forwarding header counts as one). From anywhere else use a key of your own, or the one that DATAXPIPE_PLATFORM_KEY names.")
    { WwwAuthenticate = "Bearer realm=\"catalog\"" };

    public static Problem Forbidden(string scope) => new(403, "forbidden", $"This key lacks the scope '{scope}'. Use a key that has it.");

    public static Problem OperatorOnly() => new(403, "forbidden", "Only the operator's key may do this: the one that DATAXPIPE_PLATFORM_KEY names.");

    public static Problem OrganizationUnknown() => new(403, "organization_unknown", "The organization of this token is not registered here. Have the operator register it with POST /api/v1/organizations/.");

    public static Problem RateLimited(Plan plan, int seconds) => new(429, "rate_limited",
        $"The plan '{plan.Name}' allows {plan.RequestsPerMinute} requests a minute, and they are used up. Wait as Retry-After says.")
    { RetryAfterSeconds = seconds };

    public static Problem PlanLimitReached(CeilingReached reached) => new(403, "plan_limit_reached",
        $"The plan '{reached.Plan.Name}' allows {reached.Most} {reached.What}. The plan '{reached.Enough.Name}' would do; POST /api/v1/billing/checkout begins it.")
    { Plan = reached.Enough.Name };

    public static Problem PathUnknown() => new(404, "not_found", "There is nothing at this path. See /openapi/v1.json for what there is.");

    public static Problem NotFound(string what) => new(404, "not_found", $"No such {what}.");

    public static Problem PipelineUnknown(string id) => new(404, "pipeline_not_found", $"No pipeline '{Shown(id)}' is registered. Register it with POST /api/v1/pipelines/ first.");

    public static Problem MethodNotAllowed() => new(405, "method_not_allowed", "This path does not take that method; the Allow header names those it takes.");

    public static Problem RunIdTaken(string id) => new(409, "run_id_taken", $"The run id '{Shown(id)}' belongs to another pipeline. Choose another id.");

    public static Problem IdTaken(string what, string id) =>
        new(409, "id_taken", $"Another {what} has the id '{Shown(id)}'. Send the same content again, or choose another id.");

    public static Problem DefaultOrganization() => new(409, "default_organization", "The organization 'default' cannot be changed: it is self-hosted for good. Register another with POST /api/v1/organizations/.");

    public static Problem TooManyKeys(int most) => new(409, "too_many_keys", $"An organization may have {most} live keys. Revoke those that nobody uses.");

    public static Problem KeyNotShownAgain(string id) => new(409, "id_taken", $"The key '{id}' was made with this Idempotency-Key before and is not shown again. Revoke it, and ask for another with another Idempotency-Key.");

    public static Problem NotRotatable(string id) => new(409, "key_not_rotatable", $"The key '{Shown(id)}' has ended, or the key that replaced it is still live. Rotate that one, or revoke it first.");

    public static Problem SelfHosted() => new(409, "self_hosted", "This organization is self-hosted: it has no ceilings and nothing to pay. The operator can give it another plan.");

    public static Problem AlreadySubscribed() => new(409, "already_subscribed", "This organization has a subscription. Change or end it in the portal: POST /api/v1/billing/portal.");

    public static Problem NoCustomer() => new(409, "no_customer", "Nobody has begun to pay for this organization. Begin with POST /api/v1/billing/checkout.");

    public static Problem CheckAmbiguous(string id) =>
        new(409, "check_ambiguous", $"Several pipelines have a check '{Shown(id)}'. Add ?pipeline_id=, empty for the check that stands alone.");

    public static Problem PreconditionFailed() => new(412, "precondition_failed", "It has been changed since it was read. Read it again, and send the new ETag as If-Match.");

    public static Problem VersionTaken(string pipeline, string version) =>
        new(409, "version_taken", $"Version '{Shown(version)}' of pipeline '{Shown(pipeline)}' exists with another body. Give the new body a new version.");

    public static Problem TooLarge(string detail) => new(413, "too_large", detail);

    public static Problem BodyTooLarge(long limit) => TooLarge($"A body may be {limit / (1024 * 1024)} MiB on this path. Send it in parts.");

    public static Problem UriTooLong() => new(414, "uri_too_long", $"A path and its query may be {Limits.RequestLine} characters long.");

    public static Problem HeadersTooLarge() => new(431, "headers_too_large", $"All headers may be {Limits.Headers} characters long.");

    public static Problem UnsupportedEncoding() => new(415, "unsupported_content_encoding", "Bodies may be compressed with gzip, br or deflate, and with nothing else.");

    public static Problem UnsupportedType() => new(415, "unsupported_media_type", "Send the body as Content-Type: application/json, in UTF-8.");

    public static Problem UnsupportedCharset() => new(415, "unsupported_media_type", "Only the charset utf-8 is read. Encode the body in UTF-8, and send Content-Type: application/json.");

    public static Problem Invalid(IReadOnlyDictionary<string, string[]> errors) =>
        new(422, "invalid", "The request is not valid; see errors, keyed by JSON pointer into the body or by query parameter.") { Errors = errors };

    public static Problem Invalid(string pointer, string message) => Invalid(new Dictionary<string, string[]> { [pointer] = [message] });

    public static Problem IdempotencyKeyReused() => new(422, "idempotency_key_reused", "This Idempotency-Key came with another body before. Give each request a key of its own.");

    public static Problem Internal() => new(500, "internal_error", "Something went wrong here. Report the trace_id to the operator.");

    public static Problem SecretKeyMissing() => new(501, "secret_key_missing",
        "This service has no key to keep secrets with. Refer to the secret with a field that ends in _secret, or have the operator set DATAXPIPE_SECRET_KEY.");

    public static Problem BillingNotConfigured() => new(501, "billing_not_configured", "This service sells no plans. The operator can set the DATAXPIPE_STRIPE_ settings, or give the organization a plan.");

    public static Problem StripeRefused() => new(502, "stripe_refused", "Stripe refused what this service asked. The operator finds why in its log; trying again will not help.");

    public static Problem StripeUnavailable() => new(503, "stripe_unavailable", "Stripe cannot be reached now. Nothing has changed here; send the same request again.") { RetryAfterSeconds = 5 };

    public static Problem NotReady(string reason) => new(503, "not_ready", reason) { RetryAfterSeconds = 1 };

    public static Problem IdentityProviderUnavailable() =>
        new(503, "identity_provider_unavailable", "The identity provider cannot be reached, so access tokens cannot be judged. Send the same request again, or use a key.") { RetryAfterSeconds = 10 };

    public static Problem IngestQueueFull() =>
        new(503, "ingest_queue_full", "More requests wait to be written than this replica takes, or it is being stopped. Nothing was stored; send the same request again.") { RetryAfterSeconds = 1 };

    /// <param name="reason">Why the database cannot serve.</param>
    /// <param name="reads">Whether the request would have changed nothing.</param>
    public static Problem Unavailable(Unavailability reason, bool reads) => new(503, reason switch
    {
        Unavailability.SchemaBehind => "schema_behind",
        Unavailability.TimedOut or Unavailability.Contended => "database_timeout",
        _ => "database_unavailable",
    }, SchemaProbe.Describe(reason) + (reads ? " Send the same request again." : " Nothing is known to be stored; send the same request again."))
    { RetryAfterSeconds = 1 };

    /// <summary>The problem for a status that some other part of the pipeline answered without a body.</summary>
    public static Problem Of(int status) => status switch
    {
        404 => PathUnknown(),
        405 => MethodNotAllowed(),
        408 => new(408, "request_timeout", "The request came too slowly to be read. Send it again."),
        413 => TooLarge("The request is larger than this path takes."),
        415 => UnsupportedType(),
        _ => new(status, status < 500 ? "bad_request" : "internal_error", ReasonPhrases.GetReasonPhrase(status) + "."),
    };

    // An answer repeats what the client sent only as far as it helps to recognise it.
    private static string Shown(string text) => text.Length <= 80 ? text : text[..(char.IsHighSurrogate(text[79]) ? 79 : 80)] + "…";
}

/// <summary>An error answer: <c>application/problem+json</c> (RFC 9457) whatever the client accepts, because it must see why.</summary>
internal sealed class Problem(int status, string code, string detail) : IResult
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    public string Detail { get; } = detail;

    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    public int? RetryAfterSeconds { get; init; }

    public string? WwwAuthenticate { get; init; }

    public string? Plan { get; init; }

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = "application/problem+json";
        if (RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (WwwAuthenticate is { } scheme)
        {
            response.Headers.WWWAuthenticate = scheme;
        }

        return HttpMethods.IsHead(httpContext.Request.Method) ? Task.CompletedTask : JsonSerializer.SerializeAsync(response.Body, new ProblemBody
        {
            Type = $"urn:catalog:problem:{Code}",
            Title = ReasonPhrases.GetReasonPhrase(Status),
            Status = Status,
            Detail = Detail,
            Code = Code,
            TraceId = Activity.Current?.TraceId.ToString() ?? httpContext.TraceIdentifier,
            Errors = Errors,
            Plan = Plan,
        }, ApiJson.Options, httpContext.RequestAborted);
    }
}

/// <summary>What went wrong and what to do about it (RFC 9457).</summary>
public sealed record ProblemBody
{
    /// <summary>A URI that names the kind of problem.</summary>
    public required string Type { get; init; }

    /// <summary>The status in words.</summary>
    public required string Title { get; init; }

    /// <summary>The HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>What went wrong in this request, and what to do.</summary>
    public required string Detail { get; init; }

    /// <summary>Stable and made for programs, such as <c>not_found</c>.</summary>
    public required string Code { get; init; }

    /// <summary>Finds the request in the service's log.</summary>
    public required string TraceId { get; init; }

    /// <summary>For invalid requests: messages by JSON pointer into the body (<c>/results/3/status</c>) or by query parameter.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>With <c>plan_limit_reached</c>: the smallest plan that would do.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Plan { get; init; }
}
