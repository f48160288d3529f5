using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Catalog.Data.Warehouses.Sql;
using MySqlConnector;

namespace Catalog.Data.Warehouses;

/// <summary>A registered MySQL or MariaDB warehouse.</summary>
public sealed class MySqlWarehouse : Warehouse
{
    private const int UsualPort = 3306;

    private readonly ServerAddress _address;
    private readonly DestinationGuard _guard;

    internal MySqlWarehouse(WarehouseSettings settings, DestinationGuard guard) => (_address, _guard) = (Parse(settings), guard);

    /// <inheritdoc />
    public override string Type => _address.Type;

    /// <inheritdoc />
    public override string Display => _address.Display;

    /// <inheritdoc />
    public override WarehouseSql Sql { get; } = new MySqlSql();

    // ALL PRIVILEGES contains SUPER. The view shows users their own privileges.
    private protected override string SuperuserSql => """
        select count(*) from information_schema.user_privileges
        where privilege_type = 'SUPER' and grantee = concat(
            '''', substring_index(current_user(), '@', 1), '''@''', substring_index(current_user(), '@', -1), '''')
        """;

    internal static ServerAddress Parse(WarehouseSettings settings) => ServerAddress.Parse(
        settings, _ => UsualPort, ServerTls.Prefer, ServerTls.Disable, ServerTls.Require, ServerTls.VerifyFull);

    internal override async Task<WarehouseConnection> Connect(WarehouseLimits limits, CancellationToken ct) =>
        await _guard.Connect<WarehouseConnection>(_address.Host, _address.Port, [UsualPort],
            address => Connect(address, limits, ct), exception => Translate(exception).Problem == WarehouseProblem.Unreachable, ct);

    private async Task<WarehouseConnection> Connect(IPAddress address, WarehouseLimits limits, CancellationToken ct)
    {
        var relay = new LimitedRelay(address, _address.Port);
        var connection = new MySqlConnection(new MySqlConnectionStringBuilder
        {
            Server = relay.Host,
            Port = (uint)relay.Port,
            UserID = _address.User,
            Password = _address.Password,
            Database = _address.Database ?? "",
            SslMode = _address.Tls switch
            {
                ServerTls.Disable => MySqlSslMode.Disabled,
                ServerTls.Prefer => MySqlSslMode.Preferred,
                _ => MySqlSslMode.Required,
            },
            Pooling = false,
            ConnectionTimeout = 5,
            DefaultCommandTimeout = (uint)Math.Ceiling(limits.Timeout.TotalSeconds) + 1,
            CancellationTimeout = -1,
            // If this were true, a server could ask for any file of this machine.
            AllowLoadLocalInfile = false,
            AllowPublicKeyRetrieval = false,
            ServerRedirectionMode = MySqlServerRedirectionMode.Disabled,
            AllowUserVariables = true,
            ConvertZeroDateTime = true,
            GuidFormat = MySqlGuidFormat.None,
            AutoEnlist = false,
            ApplicationName = "catalog",
        }.ConnectionString);
        if (_address.Tls == ServerTls.VerifyFull)
        {
            // The connection goes to the relay, but the certificate must match the host name.
            connection.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None
                && certificate is X509Certificate2 given && given.MatchesHostname(_address.Host);
        }

        try
        {
            await connection.OpenAsync(ct);
            await MySqlWarehouseConnection.Begin(connection, limits, ct);
            return new MySqlWarehouseConnection(connection, relay);
        }
        catch
        {
            await relay.Close(connection);
            if (relay.IsOverLimit)
            {
                throw WarehouseMessages.AnswerTooLarge();
            }

            throw;
        }
    }

    internal override WarehouseException Translate(Exception exception) => exception switch
    {
        MySqlException { ErrorCode: MySqlErrorCode.UnknownDatabase } => WarehouseMessages.DatabaseMissing(),
        MySqlException
        {
            ErrorCode: MySqlErrorCode.AccessDenied or MySqlErrorCode.DatabaseAccessDenied
                or MySqlErrorCode.HostNotPrivileged
        } => WarehouseMessages.AuthenticationFailed(),
        MySqlException { Message: var message } when message.Contains("Authentication method", StringComparison.OrdinalIgnoreCase)
            || message.Contains("RSA", StringComparison.Ordinal) => WarehouseMessages.AuthenticationFailed(),
        MySqlException { InnerException: AuthenticationException } or AuthenticationException => WarehouseMessages.TlsFailed(),
        MySqlException { Message: var message } when message.Contains("SSL", StringComparison.Ordinal) => WarehouseMessages.TlsFailed(),
        _ => WarehouseMessages.Unreachable(),
    };
}
