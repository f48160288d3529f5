using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Catalog.Data.Warehouses.Sql;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO;

namespace Catalog.Data.Warehouses;

/// <summary>A registered ClickHouse warehouse, which is used through its HTTP interface.</summary>
public sealed class ClickHouseWarehouse : Warehouse
{
    // The port with TLS, the port without TLS, and the port of a proxy in front of the server.
    private static readonly int[] UsualPorts = [8443, 8123, 443];

    private readonly ServerAddress _address;
    private readonly DestinationGuard _guard;

    internal ClickHouseWarehouse(WarehouseSettings settings, DestinationGuard guard) => (_address, _guard) = (Parse(settings), guard);

    /// <inheritdoc />
    public override string Type => "clickhouse";

    /// <inheritdoc />
    public override string Display => _address.Display;

    /// <inheritdoc />
    public override WarehouseSql Sql { get; } = new ClickHouseSql();

    internal static ServerAddress Parse(WarehouseSettings settings) => ServerAddress.Parse(
        settings, tls => tls == ServerTls.Disable ? 8123 : 8443, ServerTls.VerifyFull, ServerTls.Disable, ServerTls.Require);

    internal override async Task<WarehouseConnection> Connect(WarehouseLimits limits, CancellationToken ct)
    {
        var http = new HttpClient(new ClickHouseResponseLimit(Handler(), limits)) { Timeout = Timeout.InfiniteTimeSpan };
        var connection = new ClickHouseConnection(new ClickHouseClientSettings
        {
            Protocol = _address.Tls == ServerTls.Disable ? "http" : "https",
            Host = _address.Host,
            Port = (ushort)_address.Port,
            Username = _address.User,
            Password = _address.Password,
            Database = _address.Database ?? "default",
            UseCompression = false,
            HttpClient = http,
            CustomSettings = Settings(limits),
        });
        var opened = new ClickHouseWarehouseConnection(connection, http);
        try
        {
            await (await opened.Execute("select 1", ct)).DisposeAsync();
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    // With readonly=1 no statement can change a setting, and table functions cannot reach files or other servers.
    internal static Dictionary<string, object> Settings(WarehouseLimits limits) => new()
    {
        ["readonly"] = 1,
        ["max_execution_time"] = Math.Max(1, (int)Math.Ceiling(limits.Timeout.TotalSeconds)),
        ["max_result_rows"] = limits.MaxRows + 1,
        ["result_overflow_mode"] = "break",
        ["cancel_http_readonly_queries_on_client_close"] = 1,
    };

    // Each new connection goes to an address that was checked immediately before. A redirect is an error. Proxy
    // settings of this process are ignored.
    private SocketsHttpHandler Handler() => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        MaxResponseHeadersLength = 64,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        ConnectCallback = async (_, ct) => await _guard.Connect<Stream>(_address.Host, _address.Port, UsualPorts, async address =>
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, _address.Port, ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }, exception => exception is SocketException, ct),
        SslOptions = new SslClientAuthenticationOptions
        {
            TargetHost = _address.Host,
            RemoteCertificateValidationCallback = _address.Tls == ServerTls.VerifyFull ? null
#pragma warning disable CA5359 // The connection asks for encryption without a check of the certificate.
                : (_, _, _, _) => true,
#pragma warning restore CA5359
        },
    };

    internal override WarehouseException Translate(Exception exception) => exception switch
    {
        _ when Inner<WarehouseException>(exception) is { } own => own,
        ClickHouseServerException { ErrorCode: 516 or 192 or 193 or 194 } => WarehouseMessages.AuthenticationFailed(),
        ClickHouseServerException { ErrorCode: 81 } => WarehouseMessages.DatabaseMissing(),
        _ when Inner<AuthenticationException>(exception) is not null => WarehouseMessages.TlsFailed(),
        _ => WarehouseMessages.Unreachable(),
    };

    /// <summary>The first exception of a type among an exception and its causes; null when there is none.</summary>
    internal static T? Inner<T>(Exception exception) where T : Exception
    {
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is T found)
            {
                return found;
            }
        }

        return null;
    }
}
