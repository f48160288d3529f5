using System.Net;
using System.Security.Authentication;
using Catalog.Data.Warehouses.Sql;
using Microsoft.Data.SqlClient;

namespace Catalog.Data.Warehouses;

/// <summary>A registered SQL Server warehouse.</summary>
public sealed class SqlServerWarehouse : Warehouse
{
    private const int UsualPort = 1433;

    private readonly ServerAddress _address;
    private readonly DestinationGuard _guard;

    internal SqlServerWarehouse(WarehouseSettings settings, DestinationGuard guard) => (_address, _guard) = (Parse(settings), guard);

    /// <inheritdoc />
    public override string Type => "sqlserver";

    /// <inheritdoc />
    public override string Display => _address.Display;

    /// <inheritdoc />
    public override WarehouseSql Sql { get; } = new SqlServerSql();

    internal static ServerAddress Parse(WarehouseSettings settings) => ServerAddress.Parse(
        settings, _ => UsualPort, ServerTls.VerifyFull, ServerTls.Disable, ServerTls.Require);

    internal override async Task<WarehouseConnection> Connect(WarehouseLimits limits, CancellationToken ct) => _guard.AllowsPrivate
        ? await _guard.Connect<WarehouseConnection>(_address.Host, _address.Port, [UsualPort],
            address => Connect(address, limits, ct), exception => Translate(exception).Problem == WarehouseProblem.Unreachable, ct)
        : throw WarehouseMessages.Refused(
            "This installation does not connect to SQL Server: a server can send the driver to an address that nothing has checked.");

    private async Task<WarehouseConnection> Connect(IPAddress address, WarehouseLimits limits, CancellationToken ct)
    {
        var connection = new SqlConnection(ConnectionString(address, limits));
        try
        {
            await connection.OpenAsync(ct);
            await SqlServerConnection.Begin(connection, ct);
            return new SqlServerConnection(connection, limits);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The settings of the driver. The certificate must match the host name, not the checked address.</summary>
    internal string ConnectionString(IPAddress address, WarehouseLimits limits)
    {
        var settings = new SqlConnectionStringBuilder
        {
            DataSource = $"tcp:{address},{_address.Port}",
            UserID = _address.User,
            Password = _address.Password,
            IntegratedSecurity = false,
            Encrypt = _address.Tls == ServerTls.Disable ? SqlConnectionEncryptOption.Optional : SqlConnectionEncryptOption.Mandatory,
            TrustServerCertificate = _address.Tls != ServerTls.VerifyFull,
            HostNameInCertificate = _address.Host,
            Pooling = false,
            Enlist = false,
            ConnectTimeout = 5,
            ConnectRetryCount = 0,
            CommandTimeout = (int)Math.Ceiling(limits.Timeout.TotalSeconds),
            ApplicationName = "catalog",
        };
        if (_address.Database is { } database)
        {
            settings.InitialCatalog = database;
        }

        return settings.ConnectionString;
    }

    internal override WarehouseException Translate(Exception exception) => exception switch
    {
        SqlException { Number: 18456 or 18452 or 18486 or 18488 } => WarehouseMessages.AuthenticationFailed(),
        SqlException { Number: 4060 or 911 } => WarehouseMessages.DatabaseMissing(),
        SqlException { InnerException: AuthenticationException } or AuthenticationException => WarehouseMessages.TlsFailed(),
        SqlException { Message: var message } when message.Contains("certificate", StringComparison.OrdinalIgnoreCase)
            || message.Contains("encrypt", StringComparison.OrdinalIgnoreCase) => WarehouseMessages.TlsFailed(),
        _ => WarehouseMessages.Unreachable(),
    };
}
