using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Catalog.Data.Database;
using Npgsql;

namespace Catalog.Data.Warehouses;

/// <summary>What a test of a connection found, in one word.</summary>
public enum WarehouseState
{
    /// <summary>It was reached and let us in.</summary>
    Ok,

    /// <summary>Nothing answered in time.</summary>
    Unreachable,

    /// <summary>The user or password was refused.</summary>
    AuthenticationFailed,

    /// <summary>There is no database of that name.</summary>
    DatabaseMissing,

    /// <summary>No secure connection came about.</summary>
    TlsFailed,

    /// <summary>A secret that the connection refers to could not be had.</summary>
    SecretUnavailable,

    /// <summary>It is somewhere, or of a kind, that this installation does not connect to.</summary>
    Refused,
}

/// <summary>A registered Postgres, or what speaks its protocol.</summary>
public sealed class PostgresWarehouse
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Paths to files of this machine are for its operator, never for those who register connections.
    private static readonly string[] FileParameters = ["Passfile", "SSL Certificate", "SSL Key", "SSL Password", "Root Certificate"];

    private readonly NpgsqlConnectionStringBuilder _settings;

    private PostgresWarehouse(NpgsqlConnectionStringBuilder settings) => _settings = settings;

    /// <summary>The address without its password, for people.</summary>
    public string Display
    {
        get
        {
            var user = _settings.Username is { Length: > 0 } name ? Uri.EscapeDataString(name) + (_settings.Password is { Length: > 0 } ? ":***@" : "@") : "";
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

    /// <summary>Reads an address by libpq's rules.</summary>
    /// <exception cref="SettingException">It cannot be used; the message holds no part of it.</exception>
    public static PostgresWarehouse FromDsn(string field, string dsn) => PostgresUri.Matches(dsn)
        ? Judge(field, PostgresUri.Parse(field, dsn))
        : throw new SettingException($"{field}: must be written postgresql://user:password@host:port/database.");

    /// <summary>Puts an address together from its parts; null leaves one out.</summary>
    /// <exception cref="SettingException">A part cannot be used.</exception>
    public static PostgresWarehouse FromParts(string host, int? port, string? user, string? password, string? database, string? sslMode)
    {
        var address = new PostgresAddress { Connection = { Host = host, Port = port ?? 5432, Username = user, Password = password, Database = database } };
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

        return Judge("host", address.Connection);
    }

    private static PostgresWarehouse Judge(string field, NpgsqlConnectionStringBuilder settings)
    {
        if (settings.Host is not { Length: > 0 } host || host.Contains(',', StringComparison.Ordinal) || host.StartsWith('/') || host.StartsWith('@'))
        {
            throw new SettingException($"{field}: must name one network host; sockets and several hosts are not connected to.");
        }

        if (!HostName.IsPossible(host))
        {
            throw new SettingException($"{field}: the host must be an address, or a name of at most 253 characters with 1 to 63 between its dots, and nothing else.");
        }

        return FileParameters.Any(settings.ShouldSerialize)
            ? throw new SettingException($"{field}: parameters that name files (sslcert, sslkey, sslrootcert, passfile) are not taken.")
            : new(settings);
    }

    /// <summary>Connects, and says what came of it.</summary>
    public async Task<WarehouseState> Test(AddressGuard guard, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        try
        {
            var (addresses, refused) = await guard.Resolve(_settings.Host!, limit.Token);
            var state = refused ? WarehouseState.Refused : WarehouseState.Unreachable;
            // A name may have an address of a kind that this machine has no way to; another may answer.
            for (var i = 0; i < addresses.Count && state == WarehouseState.Unreachable; i++)
            {
                state = await Connect(addresses[i], limit.Token);
            }

            return state;
        }
        // Resolver, sockets, TLS and driver throw what they like at what a stranger's server says, and each has a word here.
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            return Word(exception);
        }
    }

    private async Task<WarehouseState> Connect(IPAddress address, CancellationToken ct)
    {
        try
        {
            await using var source = Source(address.ToString());
            await using var connection = await source.OpenConnectionAsync(ct);
            return WarehouseState.Ok;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return Word(exception);
        }
    }

    // Neither user, password nor database may be left out or empty: the driver would then take those of this process from its
    // environment, and send the operator's password to whatever host a connection names. A password that nobody has is refused where one
    // is asked for, and makes no difference where none is.
    private NpgsqlDataSource Source(string address)
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
            Timeout = (int)Patience.TotalSeconds,
            CommandTimeout = (int)Patience.TotalSeconds,
            GssEncryptionMode = GssEncryptionMode.Disable,
            ApplicationName = "catalog-connection-test",
            IncludeErrorDetail = false,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = "warehouse" };
        // The certificate is for the name, while the connection goes to the address that was judged.
        builder.UseSslClientAuthenticationOptionsCallback((SslClientAuthenticationOptions options) => options.TargetHost = name);
        return builder.Build();
    }

    private static WarehouseState Word(Exception exception) => exception switch
    {
        PostgresException { SqlState: "3D000" } => WarehouseState.DatabaseMissing,
        PostgresException { SqlState: ['2', '8', ..] } => WarehouseState.AuthenticationFailed,
        NpgsqlException { InnerException: AuthenticationException } => WarehouseState.TlsFailed,
        // "SSL connection requested. No SSL enabled connection from this host is configured": the driver gives it no type of its own.
        NpgsqlException { InnerException: null, Message: var message } when message.Contains("SSL", StringComparison.Ordinal) => WarehouseState.TlsFailed,
        NpgsqlException { InnerException: null, Message: var message } when message.Contains("password", StringComparison.OrdinalIgnoreCase) => WarehouseState.AuthenticationFailed,
        _ => WarehouseState.Unreachable,
    };
}
