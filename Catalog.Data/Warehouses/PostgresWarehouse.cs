using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Settings;
using Catalog.Data.Warehouses.Sql;
using Npgsql;

namespace Catalog.Data.Warehouses;

/// <summary>A registered warehouse that uses the Postgres protocol.</summary>
public sealed class PostgresWarehouse : Warehouse
{
    private const int UsualPort = 5432;

    // Files of this machine belong to its operator. Users who register connections must not refer to them.
    private static readonly string[] FileParameters = ["Passfile", "SSL Certificate", "SSL Key", "SSL Password", "Root Certificate"];

    private readonly NpgsqlConnectionStringBuilder _settings;
    private readonly DestinationGuard _guard;
    private readonly CatalogDatabaseDetector? _catalog;

    internal PostgresWarehouse(WarehouseSettings settings, DestinationGuard guard, CatalogDatabaseDetector? catalog) =>
        (_settings, _guard, _catalog) = (Parse(settings), guard, catalog);

    /// <inheritdoc />
    public override string Type => "postgres";

    /// <inheritdoc />
    public override string Display => DisplayOf(_settings);

    /// <inheritdoc />
    public override WarehouseSql Sql { get; } = new PostgresSql();

    private protected override string SuperuserSql => "select pg_catalog.current_setting('is_superuser') = 'on'";

    /// <summary>The address of a configuration without the password.</summary>
    /// <exception cref="SettingException">The configuration is not valid.</exception>
    public static string DisplayOf(WarehouseSettings settings) => DisplayOf(Parse(settings));

    /// <summary>Reads a configuration. A <c>dsn</c> follows libpq's rules for connection URIs.</summary>
    /// <exception cref="SettingException">
    /// The configuration is not valid. The message contains no part of it.
    /// </exception>
    internal static NpgsqlConnectionStringBuilder Parse(WarehouseSettings settings)
    {
        if (settings.Dsn is { } dsn)
        {
            var address = PostgresUri.Matches(dsn) ? PostgresUri.Parse("dsn", dsn)
                : throw new SettingException("dsn: must have the form postgresql://user:password@host:port/database.");
            address.Password = settings.Password ?? address.Password;
            return Validate("dsn", address);
        }

        var parts = new PostgresAddress
        {
            Connection =
            {
                Host = settings.Host ?? throw new SettingException("a dsn or a host is required."),
                Port = settings.Port ?? UsualPort,
                Username = settings.User,
                Password = settings.Password,
                Database = settings.Database,
            }
        };
        try
        {
            if (settings.SslMode is { } sslMode)
            {
                PostgresUriParameters.Set(parts, "sslmode", sslMode, 1);
            }
        }
        catch (FormatException problem)
        {
            throw new SettingException(problem.Message);
        }

        return Validate("host", parts.Connection);
    }

    private static NpgsqlConnectionStringBuilder Validate(string field, NpgsqlConnectionStringBuilder settings)
    {
        if (settings.Host is not { Length: > 0 } host || host.Contains(',', StringComparison.Ordinal) || host.StartsWith('/')
            || host.StartsWith('@'))
        {
            throw new SettingException(
                $"{field}: must contain exactly one network host; Unix sockets and several hosts are not supported.");
        }

        DestinationGuard.ValidateHost(field, host);
        return FileParameters.Any(settings.ShouldSerialize)
            ? throw new SettingException(
                $"{field}: parameters that refer to files (sslcert, sslkey, sslrootcert, passfile) are not supported. Remove them.")
            : settings;
    }

    private static string DisplayOf(NpgsqlConnectionStringBuilder settings)
    {
        var user = settings.Username is { Length: > 0 } name
            ? Uri.EscapeDataString(name) + (settings.Password is { Length: > 0 } ? ":***@" : "@") : "";
        var host = settings.Host!.Contains(':', StringComparison.Ordinal) ? $"[{settings.Host}]" : settings.Host;
        var ssl = settings.SslMode switch
        {
            SslMode.VerifyCA => "verify-ca",
            SslMode.VerifyFull => "verify-full",
            var mode => mode.ToString().ToLowerInvariant(),
        };
        return $"postgresql://{user}{host}:{settings.Port}/{Uri.EscapeDataString(settings.Database ?? "")}?sslmode={ssl}";
    }

    internal override async Task<WarehouseConnection> Connect(WarehouseLimits limits, CancellationToken ct)
    {
        if (_settings.Options is { Length: > 0 } && !_guard.AllowsPrivate)
        {
            throw WarehouseMessages.Refused(
                "The parameter 'options' of the dsn is not allowed on this installation. Remove it from the dsn.");
        }

        return await _guard.Connect<WarehouseConnection>(_settings.Host!, _settings.Port, [UsualPort],
            address => Connect(address, limits, ct), exception =>
                exception is NpgsqlException && Translate(exception).Problem == WarehouseProblem.Unreachable, ct);
    }

    private async Task<WarehouseConnection> Connect(IPAddress address, WarehouseLimits limits, CancellationToken ct)
    {
        var relay = new LimitedRelay(address, _settings.Port);
        NpgsqlDataSource? source = null;
        NpgsqlConnection? connection = null;
        try
        {
            source = CreateSource(relay, limits);
            connection = await source.OpenConnectionAsync(ct);
            if (_catalog is not null && await _catalog.Is(connection, ct))
            {
                throw WarehouseMessages.CatalogDatabase();
            }

            await PostgresWarehouseConnection.Begin(connection, limits, ct);
            return new PostgresWarehouseConnection(source, connection, relay);
        }
        catch
        {
            await relay.Close(connection);
            await (source?.DisposeAsync() ?? ValueTask.CompletedTask);
            if (relay.IsOverLimit)
            {
                throw WarehouseMessages.AnswerTooLarge();
            }

            throw;
        }
    }

    // User, password and database are always set. The driver would take a missing value from the environment of this
    // process, and could send the operator's password to the host of the connection. A server that requires a password
    // rejects the random password; other servers ignore it.
    private NpgsqlDataSource CreateSource(LimitedRelay relay, WarehouseLimits limits)
    {
        var name = _settings.Host!;
        var user = _settings.Username is { Length: > 0 } given ? given : "catalog";
        var settings = new NpgsqlConnectionStringBuilder(_settings.ConnectionString)
        {
            Host = relay.Host,
            Port = relay.Port,
            Username = user,
            Password = _settings.Password is { Length: > 0 } password ? password : Guid.NewGuid().ToString(),
            Database = _settings.Database is { Length: > 0 } database ? database : user,
            Passfile = "/nonexistent",
            Pooling = false,
            Timeout = 5,
            CommandTimeout = (int)Math.Ceiling(limits.Timeout.TotalSeconds) + 1,
            // Cancelling a statement ends its connection at once. The server ends the statement within its own limits.
            CancellationTimeout = -1,
            GssEncryptionMode = GssEncryptionMode.Disable,
            // Otherwise the server could ask for a Kerberos ticket of this process.
            RequireAuth = _settings.RequireAuth ?? "!GSS,!SSPI",
            ApplicationName = "catalog",
            IncludeErrorDetail = false,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = "warehouse" };
        // The connection goes to the relay, but the certificate must match the host name.
        builder.UseSslClientAuthenticationOptionsCallback((SslClientAuthenticationOptions options) => options.TargetHost = name);
        return builder.ConfigureTracing(PostgresTracing.None).Build();
    }

    internal override WarehouseException Translate(Exception exception) => exception switch
    {
        PostgresException { SqlState: "3D000" } => WarehouseMessages.DatabaseMissing(),
        PostgresException { SqlState: ['2', '8', ..] } => WarehouseMessages.AuthenticationFailed(),
        PostgresException { SqlState: "42501" } => WarehouseMessages.PermissionDenied(),
        NpgsqlException { InnerException: AuthenticationException } => WarehouseMessages.TlsFailed(),
        // The driver has no special exception type for "SSL connection requested. No SSL enabled connection from this
        // host is configured".
        NpgsqlException { InnerException: null, Message: var message } when message.Contains("SSL", StringComparison.Ordinal) =>
            WarehouseMessages.TlsFailed(),
        NpgsqlException { InnerException: null, Message: var message } when message.Contains(
            "password", StringComparison.OrdinalIgnoreCase) => WarehouseMessages.AuthenticationFailed(),
        _ => WarehouseMessages.Unreachable(),
    };
}
