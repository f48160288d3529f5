using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Microsoft.AspNetCore.WebUtilities;

namespace Catalog.Api.Http;

/// <summary>
/// Every error that a client can act on, with its stable code. This file is the error documentation of the service.
/// </summary>
internal static class Problems
{
    public static Problem Malformed(string detail) => new(400, "malformed", detail);

    public static Problem SignatureInvalid() =>
        new(400, "signature_invalid",
            "Stripe-Signature does not match the request body, or its timestamp differs from the current time by more than 5 minutes. "
                + "Check DATAXPIPE_STRIPE_WEBHOOK_SECRET and the clock of the service.");

    public static Problem Unauthorized() =>
        new(401, "unauthorized",
            "The request has no valid key or token. Send a valid API key as X-API-KEY, or a key or access token as Authorization: Bearer.")
        {
            WwwAuthenticate = "Bearer realm=\"catalog\""
        };

    public static Problem DevelopmentKeyNotLocal() => new(401, "unauthorized",
        "Development keys work on loopback only: send the request from this machine to localhost, 127.0.0.1 or [::1], without a "
            + "proxy (a forwarding header counts as a proxy). From other machines use an API key of your organization, or the key "
            + "set in DATAXPIPE_PLATFORM_KEY.")
    { WwwAuthenticate = "Bearer realm=\"catalog\"" };

    public static Problem FormExpired() => new(400, "form_expired",
        "The form was not sent by a page of this service, or it is too old. Go back, reload the page and send it again.");

    public static Problem Forbidden(string scope) => new(403, "forbidden", $"This key lacks the scope '{scope}'. Use a key that has it.");

    public static Problem OperatorOnly() => new(403, "forbidden", "This needs the operator's key, which is set in DATAXPIPE_PLATFORM_KEY.");

    public static Problem OrganizationUnknown() =>
        new(403, "organization_unknown",
            "The organization of this token is not registered. Ask the operator to register it with POST /api/v1/organizations/.");

    public static Problem RateLimited(Plan plan, int seconds) => new(429, "rate_limited",
        $"The plan '{plan.Name}' allows {plan.RequestsPerMinute} requests per minute, and all of them are used. Wait for the seconds "
            + "given in Retry-After.")
    { RetryAfterSeconds = seconds };

    public static Problem PlanLimitReached(CeilingReached reached) => new(403, "plan_limit_reached",
        $"The plan '{reached.Plan.Name}' allows {reached.Limit} {reached.ObjectKind}. The plan '{reached.SufficientPlan.Name}' allows "
            + "more; subscribe to it with POST /api/v1/billing/checkout, or ask the operator to change the plan.")
    { Plan = reached.SufficientPlan.Name };

    public static Problem PathUnknown() => new(404, "not_found", "This path does not exist. See /openapi/v1.json for all paths.");

    public static Problem OpenLineagePath() => new(404, "not_found",
        "OpenLineage events are received at /api/v1/lineage. Set OPENLINEAGE_URL to the address of this service with a slash at its "
            + "end and no path, and OPENLINEAGE_ENDPOINT to api/v1/lineage (spark.openlineage.transport.url and .endpoint for Spark).");

    public static Problem NotFound(string what) => new(404, "not_found", $"No {what} with this id exists in your organization.");

    public static Problem DatasetUnknown(string parameter) =>
        new(404, "not_found", $"The dataset of the parameter '{parameter}' does not exist in your organization.");

    public static Problem OrganizationNotFound() => new(404, "not_found", "No organization with this id is registered.");

    public static Problem PipelineUnknown(string id) =>
        new(404, "pipeline_not_found", $"No pipeline '{Shorten(id)}' is registered. Register it with POST /api/v1/pipelines/ first.");

    public static Problem CheckUnknown(string id) =>
        new(404, "check_not_found", $"The pipeline has no check '{Shorten(id)}'. Define it first, or leave its id out of checks.");

    public static Problem MethodNotAllowed() =>
        new(405, "method_not_allowed", "This path does not support the method; the Allow header lists the supported methods.");

    public static Problem RunIdTaken(string id) =>
        new(409, "run_id_taken", $"The run id '{Shorten(id)}' belongs to another pipeline. Choose another id.");

    public static Problem IdTaken(string what, string id) =>
        new(409, "id_taken",
            $"Another {what} already has the id '{Shorten(id)}'. Choose another id; a repeated request must have the same content.");

    public static Problem DefaultOrganization() =>
        new(409, "default_organization",
            "The organization 'default' cannot be changed: its plan is always self_hosted. Register another organization with POST "
                + "/api/v1/organizations/.");

    public static Problem TooManyKeys(int max) =>
        new(409, "too_many_keys", $"An organization may have at most {max} live keys. Revoke the keys that are not used.");

    public static Problem KeyAlreadyShown(string id) =>
        new(409, "id_taken",
            $"An earlier request with this Idempotency-Key created the key '{id}', which is not shown again. Revoke it, and create "
                + "another key with a new Idempotency-Key.");

    public static Problem NotRotatable(string id) =>
        new(409, "key_not_rotatable",
            $"The key '{Shorten(id)}' cannot be rotated: it has expired, was revoked, or already has a valid replacement. Create a "
                + "new key, or rotate the replacement.");

    public static Problem SelfHosted() =>
        new(409, "self_hosted",
            "This organization has the plan self_hosted, which has no limits and is not paid for. The operator can change the plan.");

    public static Problem AlreadySubscribed() =>
        new(409, "already_subscribed",
            "This organization already has a subscription. Change or cancel it in the billing portal: POST /api/v1/billing/portal.");

    public static Problem NoCustomer() =>
        new(409, "no_customer", "This organization has no Stripe customer yet. Start a subscription with POST /api/v1/billing/checkout.");

    public static Problem CheckAmbiguous(string id) =>
        new(409, "check_ambiguous",
            $"Several pipelines have a check '{Shorten(id)}'. Add ?pipeline_id= to choose one; leave its value empty for the check "
                + "without a pipeline.");

    public static Problem CheckIsStandalone(string id) =>
        new(409, "check_is_standalone",
            $"The check '{Shorten(id)}' is standalone, so its results cannot belong to a run of a pipeline. Leave run_id out.");

    public static Problem NoExecutableChecks(string pipeline) =>
        new(409, "no_executable_checks",
            $"Nothing to execute: no check of the pipeline '{Shorten(pipeline)}' has a connection_id, or the list checks is empty. Add "
                + "a connection_id to the definition of a check.");

    public static Problem CheckOfOtherTool(string id) =>
        new(409, "no_executable_checks",
            $"Another tool, such as dbt, defined the check '{Shorten(id)}' and executes it. The Catalog only stores its results. Execute "
                + "it with that tool.");

    public static Problem ExecutionFinished(string status) =>
        new(409, "execution_finished", $"The execution is {status} and can no longer be cancelled.");

    public static Problem ExecutionQueueFull() =>
        new(429, "execution_queue_full",
            "Too many executions of this organization wait. Nothing was stored; send the same request again when some have ended.")
        {
            RetryAfterSeconds = 10
        };

    public static Problem PreconditionFailed() =>
        new(412, "precondition_failed",
            "The object does not have the ETag in If-Match: it was changed or deleted, or does not exist. Read it again, and send its "
                + "current ETag as If-Match.");

    public static Problem VersionTaken(string pipeline, string version) =>
        new(409, "version_taken",
            $"Version '{Shorten(version)}' of pipeline '{Shorten(pipeline)}' already exists with another body. Use a new version for "
                + "the new body.");

    public static Problem TooLarge(string detail) => new(413, "too_large", detail);

    public static Problem BodyTooLarge(long limit) =>
        TooLarge($"The maximum body size on this path is {limit / (1024 * 1024)} MiB. Send less in one request.");

    public static Problem UriTooLong() =>
        new(414, "uri_too_long", $"The maximum length of path and query is {RequestLimits.RequestLine} characters.");

    public static Problem HeadersTooLarge() =>
        new(431, "headers_too_large", $"The maximum length of all headers is {RequestLimits.Headers} characters.");

    public static Problem UnsupportedEncoding() =>
        new(415, "unsupported_content_encoding",
            "Compress the body with gzip, br or deflate, or do not compress it. Other encodings are not supported.");

    public static Problem UnsupportedType() =>
        new(415, "unsupported_media_type", "Send the body as Content-Type: application/json, in UTF-8.");

    public static Problem UnsupportedCharset() =>
        new(415, "unsupported_media_type",
            "The only supported charset is utf-8. Encode the body in UTF-8, and send Content-Type: application/json.");

    public static Problem Invalid(IReadOnlyDictionary<string, string[]> errors) =>
        new(422, "invalid", "The request is not valid; see errors, keyed by JSON pointer into the body or by query parameter.")
        {
            Errors = errors
        };

    public static Problem Invalid(string pointer, string message) => Invalid(new Dictionary<string, string[]> { [pointer] = [message] });

    public static Problem IdempotencyKeyReused() =>
        new(422, "idempotency_key_reused", "This Idempotency-Key was already used with another body. Use a new key for "
            + "another body; a repeated request keeps its key.");

    public static Problem Internal() => new(500, "internal_error", "The service failed unexpectedly. Report the trace_id to the operator.");

    public static Problem SecretKeyMissing() => new(501, "secret_key_missing",
        "This service has no key for encrypting secrets. Send a reference instead of the secret, for example password_secret with the "
            + "value vault/data/db-password, or ask the operator to set DATAXPIPE_SECRET_KEY.");

    public static Problem BillingNotConfigured() =>
        new(501, "billing_not_configured",
            "Billing is not configured on this service. The operator can set the DATAXPIPE_STRIPE_ settings, or change the "
                + "organization's plan.");

    public static Problem StripeRefused() =>
        new(502, "stripe_refused",
            "Stripe rejected the request of this service. The service's log contains the reason; do not send the request again.");

    public static Problem StripeUnavailable() =>
        new(503, "stripe_unavailable", "Stripe cannot be reached. Nothing was changed; send the same request again.")
        {
            RetryAfterSeconds = 5
        };

    public static Problem NotReady(string reason) => new(503, "not_ready", reason) { RetryAfterSeconds = 1 };

    public static Problem IdentityProviderUnavailable() =>
        new(503, "identity_provider_unavailable",
            "The identity provider cannot be reached, so access tokens cannot be verified. Send the same request again, or use an "
                + "API key.")
        { RetryAfterSeconds = 10 };

    public static Problem IngestQueueFull() =>
        new(503, "ingest_queue_full",
            "The write queue of this replica is full, or the replica is stopping. Nothing was stored; send the same request again.")
        {
            RetryAfterSeconds = 1
        };

    /// <summary>The database cannot serve the request.</summary>
    /// <param name="reason">The reason.</param>
    /// <param name="reads">Whether the request only reads data.</param>
    public static Problem Unavailable(Unavailability reason, bool reads) => new(503, reason switch
    {
        Unavailability.SchemaBehind => "schema_behind",
        Unavailability.TimedOut or Unavailability.Contended => "database_timeout",
        _ => "database_unavailable",
    }, SchemaProbe.Describe(reason) + (reads
        ? " Send the same request again." : " It is not known whether anything was stored; send the same request again."))
    { RetryAfterSeconds = 1 };

    /// <summary>The problem for a status that another part of the pipeline returned without a body.</summary>
    public static Problem Of(int status) => status switch
    {
        404 => PathUnknown(),
        405 => MethodNotAllowed(),
        408 => new(408, "request_timeout", "The request arrived too slowly. Send it again."),
        413 => TooLarge("The request is larger than this path allows. Send less in one request."),
        415 => UnsupportedType(),
        _ => new(status, status < 500 ? "bad_request" : "internal_error", ReasonPhrases.GetReasonPhrase(status) + "."),
    };

    // A response repeats only the first 80 characters of a client's text, enough to recognise it.
    private static string Shorten(string text) => text.Length <= 80 ? text : StoredText.Cut(text, 80) + "…";
}
