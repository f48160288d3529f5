using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Catalog.Data.Database;
using Npgsql;

namespace Catalog.Data.Warehouses;

/// <summary>The result of a connection test.</summary>
public enum WarehouseState
{
    /// <summary>The connection and the login succeeded.</summary>
    Ok,

    /// <summary>The server did not answer in time, or its host name cannot be resolved.</summary>
    Unreachable,

    /// <summary>The server rejected the user or the password.</summary>
    AuthenticationFailed,

    /// <summary>The server has no database of that name.</summary>
    DatabaseMissing,

    /// <summary>The TLS handshake failed.</summary>
    TlsFailed,

    /// <summary>A secret of the connection could not be read.</summary>
    SecretUnavailable,

    /// <summary>This installation does not connect to the address, or to this type of warehouse.</summary>
    Refused,
}

/// <summary>A registered warehouse that uses the Postgres protocol.</summary>
public sealed class PostgresWarehouse
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);

    // Files of this machine belong to its operator. Users who register connections must not refer to them.
    private static readonly string[] FileParameters = ["Passfile", "SSL Certificate", "SSL Key", "SSL Password", "Root Certificate"];

    private readonly NpgsqlConnectionStringBuilder _settings;

    private PostgresWarehouse(NpgsqlConnectionStringBuilder settings) => _settings = settings;

    /// <summary>The address without the password, to be shown.</summary>
    public string Display
    {
        get
        {
            var user = _settings.Username is { Length: > 0 } name
                ? Uri.EscapeDataString(name) + (_settings.Password is { Length: > 0 } ? ":***@" : "@") : "";
            var host = _settings.Host!.Contains(':', StringComparison.Ordinal) ? $"[{_settings.Host}]" : _settings.Host;
            return $"postgresql://{user}{host}:{_settings.Port}/{Uri.EscapeDataString(_settings.Database ?? "")}?sslmode={SslWord}";
        }
    }

    private string SslWord => _settings.SslMode switch
    {
        SslMode.VerifyCA => "verify-ca",
        SslMode.VerifyFull => "verify-full",
        var mode => mode.ToString().ToLowerInvariant(),
    };

    /// <summary>Parses a connection URI by libpq's rules.</summary>
    /// <exception cref="SettingException">The URI is not valid. The message contains no part of it.</exception>
    public static PostgresWarehouse FromDsn(string field, string dsn) => PostgresUri.Matches(dsn)
        ? Validate(field, PostgresUri.Parse(field, dsn))
        : throw new SettingException($"{field}: must have the form postgresql://user:password@host:port/database.");

    /// <summary>Creates a warehouse from the parts of its address; null leaves a part out.</summary>
    /// <exception cref="SettingException">A part is not valid.</exception>
    public static PostgresWarehouse FromParts(string host, int? port, string? user, string? password, string? database, string? sslMode)
    {
        var address = new PostgresAddress
        {
            Connection = { Host = host, Port = port ?? 5432, Username = user, Password = password, Database = database }
        };
        try
        {
            if (sslMode is not null)
            {
                PostgresUriParameters.Set(address, "sslmode", sslMode, 1);
            }
        }
        catch (FormatException problem)
        {
            throw new SettingException(problem.Message);
        }

        return Validate("host", address.Connection);
    }

    private static PostgresWarehouse Validate(string field, NpgsqlConnectionStringBuilder settings)
    {
        if (settings.Host is not { Length: > 0 } host || host.Contains(',', StringComparison.Ordinal) || host.StartsWith('/')
            || host.StartsWith('@'))
        {
            throw new SettingException(
                $"{field}: must contain exactly one network host; Unix sockets and several hosts are not supported.");
        }

        if (!HostName.IsPossible(host))
        {
            throw new SettingException(
                $"{field}: the host must be an IP address, or a host name of at most 253 characters with 1 to 63 characters between "
                    + "the dots.");
        }

        return FileParameters.Any(settings.ShouldSerialize)
            ? throw new SettingException(
                $"{field}: parameters that refer to files (sslcert, sslkey, sslrootcert, passfile) are not supported.")
            : new(settings);
    }

    /// <summary>Tests the connection: connects and logs in, within 5 seconds.</summary>
    public async Task<WarehouseState> Test(AddressGuard guard, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(MaxWait);
        try
        {
            var (addresses, refused) = await guard.Resolve(_settings.Host!, limit.Token);
            var state = refused ? WarehouseState.Refused : WarehouseState.Unreachable;
            // The host may have addresses that this machine cannot reach, for example IPv6; try the next one.
            for (var i = 0; i < addresses.Count && state == WarehouseState.Unreachable; i++)
            {
                state = await Connect(addresses[i], limit.Token);
            }

            return state;
        }
        // The server is not trusted, and resolver, sockets, TLS and driver throw many exception types for it; StateOf
        // maps all of them.
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            return StateOf(exception);
        }
    }

    private async Task<WarehouseState> Connect(IPAddress address, CancellationToken ct)
    {
        try
        {
            await using var source = CreateSource(address.ToString());
            await using var connection = await source.OpenConnectionAsync(ct);
            return WarehouseState.Ok;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return StateOf(exception);
        }
    }

    // User, password and database are always set: the driver would fill an empty one from the environment of this
    // process, and send the operator's password to the host of the connection. A random password is rejected by a
    // server that requires a password, and ignored by one that does not.
    private NpgsqlDataSource CreateSource(string address)
    {
        var name = _settings.Host!;
        var user = _settings.Username is { Length: > 0 } given ? given : "catalog";
        var settings = new NpgsqlConnectionStringBuilder(_settings.ConnectionString)
        {
            Host = address,
            Username = user,
            Password = _settings.Password is { Length: > 0 } password ? password : Guid.NewGuid().ToString(),
            Database = _settings.Database is { Length: > 0 } database ? database : user,
            Passfile = "/nonexistent",
            Pooling = false,
            Timeout = (int)MaxWait.TotalSeconds,
            CommandTimeout = (int)MaxWait.TotalSeconds,
            GssEncryptionMode = GssEncryptionMode.Disable,
            ApplicationName = "catalog-connection-test",
            IncludeErrorDetail = false,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = "warehouse" };
        // The connection goes to the checked address, but the certificate must match the host name.
        builder.UseSslClientAuthenticationOptionsCallback((SslClientAuthenticationOptions options) => options.TargetHost = name);
        return builder.Build();
    }

    private static WarehouseState StateOf(Exception exception) => exception switch
    {
        PostgresException { SqlState: "3D000" } => WarehouseState.DatabaseMissing,
        PostgresException { SqlState: ['2', '8', ..] } => WarehouseState.AuthenticationFailed,
        NpgsqlException { InnerException: AuthenticationException } => WarehouseState.TlsFailed,
        // The driver has no own exception type for "SSL connection requested. No SSL enabled connection from this host
        // is configured".
        NpgsqlException { InnerException: null, Message: var message } when message.Contains("SSL", StringComparison.Ordinal) =>
            WarehouseState.TlsFailed,
        NpgsqlException { InnerException: null, Message: var message } when message.Contains(
            "password", StringComparison.OrdinalIgnoreCase) => WarehouseState.AuthenticationFailed,
        _ => WarehouseState.Unreachable,
    };
}
