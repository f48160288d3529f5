using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Settings;

/// <summary>All settings whose names begin with <c>DATAXPIPE_</c>, used to report misspelled names.</summary>
public static class KnownSettings
{
    private const string Prefix = "DATAXPIPE_";

    /// <summary>
    /// The settings of the service and of the console, because both often run with the same environment variables.
    /// </summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "DATAXPIPE_ACCESS_LOG",
        "DATAXPIPE_APP_ROLE",
        "DATAXPIPE_DB",
        "DATAXPIPE_DB_ECHO",
        "DATAXPIPE_DEV_KEYS",
        "DATAXPIPE_EXECUTION_LEASE",
        "DATAXPIPE_EXECUTION_PER_ORGANIZATION",
        "DATAXPIPE_EXECUTION_PER_WAREHOUSE",
        "DATAXPIPE_EXECUTION_QUEUE",
        "DATAXPIPE_EXECUTION_STATEMENT_TIMEOUT",
        "DATAXPIPE_EXECUTION_TIMEOUT",
        "DATAXPIPE_EXECUTION_WORKERS",
        "DATAXPIPE_INGEST_QUEUE",
        "DATAXPIPE_INGEST_WRITERS",
        "DATAXPIPE_LOG_FORMAT",
        "DATAXPIPE_METRICS",
        "DATAXPIPE_METRICS_PORT",
        "DATAXPIPE_MIGRATIONS_DB",
        "DATAXPIPE_OIDC_AUDIENCE",
        "DATAXPIPE_OIDC_AUTHORITY",
        "DATAXPIPE_OIDC_CLIENT_ID",
        "DATAXPIPE_OIDC_CLIENT_SECRET",
        "DATAXPIPE_OIDC_ORGANIZATION",
        "DATAXPIPE_OIDC_ORGANIZATION_CLAIM",
        "DATAXPIPE_OIDC_SCOPES",
        "DATAXPIPE_OIDC_TRUST",
        "DATAXPIPE_PGBOUNCER",
        "DATAXPIPE_PG_POOL_MAX",
        "DATAXPIPE_PG_POOL_MIN",
        "DATAXPIPE_PG_POOL_TIMEOUT",
        "DATAXPIPE_PG_SCHEMA",
        "DATAXPIPE_PLATFORM_KEY",
        "DATAXPIPE_PRIVATE_WAREHOUSES",
        "DATAXPIPE_REQUIRE_RLS",
        "DATAXPIPE_RETENTION_EVENTS_DAYS",
        "DATAXPIPE_RETENTION_RESULTS_DAYS",
        "DATAXPIPE_RETENTION_RUNS_DAYS",
        "DATAXPIPE_S3_ACCESS_KEY",
        "DATAXPIPE_S3_ATTEMPTS",
        "DATAXPIPE_S3_ENCRYPTION",
        "DATAXPIPE_S3_ENDPOINT",
        "DATAXPIPE_S3_INSECURE",
        "DATAXPIPE_S3_REGION",
        "DATAXPIPE_S3_SECRET_KEY",
        "DATAXPIPE_S3_TIMEOUT",
        "DATAXPIPE_SECRET_ENV_PREFIX",
        "DATAXPIPE_SECRET_FOLDER",
        "DATAXPIPE_SECRET_KEY",
        "DATAXPIPE_SECRET_KEY_PREVIOUS",
        "DATAXPIPE_STRIPE_API",
        "DATAXPIPE_STRIPE_PRICE_BUSINESS",
        "DATAXPIPE_STRIPE_PRICE_TEAM",
        "DATAXPIPE_STRIPE_RETURN_URL",
        "DATAXPIPE_STRIPE_SECRET_KEY",
        "DATAXPIPE_STRIPE_TIMEOUT",
        "DATAXPIPE_STRIPE_WEBHOOK_SECRET",
        "DATAXPIPE_USE_ALEMBIC",
        "DATAXPIPE_USE_MIGRATIONS",
        "DATAXPIPE_VAULT_ADDRESS",
        "DATAXPIPE_VAULT_AUTH_MOUNT",
        "DATAXPIPE_VAULT_KUBERNETES_ROLE",
        "DATAXPIPE_VAULT_KUBERNETES_TOKEN_FILE",
        "DATAXPIPE_VAULT_NAMESPACE",
        "DATAXPIPE_VAULT_PATHS",
        "DATAXPIPE_VAULT_ROLE_ID",
        "DATAXPIPE_VAULT_SECRET_ID",
        "DATAXPIPE_VAULT_TIMEOUT",
        "DATAXPIPE_VAULT_TOKEN",
        "DATAXPIPE_VAULT_TOKEN_FILE",
        "DATAXPIPE_VAULT_TTL",
        "DATAXPIPE_WAREHOUSE_FILES",
    ];

    /// <summary>A warning for each unknown setting, with the nearest known name and without the value.</summary>
    public static IEnumerable<string> UnknownWarnings(IConfiguration configuration)
    {
        var set = configuration.AsEnumerable().Where(setting => setting.Value is not null).Select(setting => Setting.Name(setting.Key))
            .Where(name => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).ToList();
        // For a service called dataxpipe, Kubernetes sets DATAXPIPE_SERVICE_HOST, DATAXPIPE_PORT_8000_TCP and more in
        // every pod.
        const string Host = "_SERVICE_HOST";
        var services = set.Where(name => name.EndsWith(Host, StringComparison.OrdinalIgnoreCase)).Select(name => name[..^Host.Length])
            .ToList();
        return set.Where(name => !Names.Contains(name, StringComparer.OrdinalIgnoreCase)
            && !services.Exists(service => IsSetByKubernetes(service, name)))
            .Select(name =>
                $"The setting {OneLine(name)} is unknown and ignored; the nearest known name is {SpellingSuggestion.Of(name, Names)}.");
    }

    private static bool IsSetByKubernetes(string service, string name) => name.StartsWith(service, StringComparison.OrdinalIgnoreCase)
        && $"{name[service.Length..]}_" is var rest
        && (rest.StartsWith("_SERVICE_", StringComparison.OrdinalIgnoreCase)
            || rest.StartsWith("_PORT_", StringComparison.OrdinalIgnoreCase));

    // A name can contain line breaks, but the warning must be one line.
    private static string OneLine(string name) =>
        string.Concat(name.Take(100).Select(character => char.IsControl(character) ? '?' : character));
}
