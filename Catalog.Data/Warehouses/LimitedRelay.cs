using System.Buffers;
using System.Data.Common;
using System.Net;
using System.Net.Sockets;

namespace Catalog.Data.Warehouses;

/// <summary>
/// Passes the connections of a driver on to the address of its warehouse, and ends them when the server has sent more
/// than a limit. Without this limit, a server could make a driver read a message of any length into memory.
/// </summary>
/// <remarks>
/// The driver connects to a port on loopback. It can connect several times: to log in again with another encryption,
/// and to cancel a statement. All connections of the driver share the limit. When the driver closes its side of a
/// connection, the side of the server is closed too.
/// </remarks>
internal sealed class LimitedRelay : IAsyncDisposable
{
    // While it logs in, Npgsql reads the list of data types: about 100 bytes for each type that users have created.
    private const int LoginBytes = 4 * 1024 * 1024;
    private const int StatementBytes = 16 * 1024 * 1024;
    private const int MaxConnections = 8;
    private const int BufferBytes = 16 * 1024;

    // How long to wait until the driver has closed its connection. (It can wait for its server.)
    private static readonly TimeSpan MaxClose = TimeSpan.FromSeconds(1);

    // How long to wait until the driver's closing message is passed on. Without this message the server logs an error.
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(0.2);

    private readonly IPEndPoint _server;
    private readonly TcpListener _listener = new(Socket.OSSupportsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;
    private readonly IPEndPoint _local;
    private long _left = LoginBytes;
    private volatile bool _isOverLimit;
    private bool _isClosed;

    /// <summary>Starts to listen. The relay connects to the server when the driver connects.</summary>
    /// <param name="address">The checked address of the server.</param>
    /// <param name="port">The port of the server.</param>
    public LimitedRelay(IPAddress address, int port)
    {
        _server = new(address, port);
        _listener.Start(MaxConnections);
        _local = (IPEndPoint)_listener.LocalEndpoint;
        _accepting = Accept();
    }

    /// <summary>The address for the driver.</summary>
    public string Host => _local.Address.ToString();

    /// <summary>The port for the driver.</summary>
    public int Port => _local.Port;

    /// <summary>Whether the connections were ended because the server had sent more than the limit.</summary>
    public bool IsOverLimit => _isOverLimit;

    /// <summary>
    /// Starts to count for the next statement. Until the first call, the lower limit of the login applies.
    /// </summary>
    public void BeginStatement() => Interlocked.Exchange(ref _left, StatementBytes);

    private async Task Accept()
    {
        try
        {
            while (_connections.Count < MaxConnections)
            {
                _connections.Add(Serve(await _listener.AcceptSocketAsync(_stop.Token)));
            }
        }
        catch (Exception exception) when (IsEnd(exception))
        {
        }
        finally
        {
            _listener.Dispose();
        }
    }

    private async Task Serve(Socket driver)
    {
        using (driver)
        using (var server = new Socket(_server.AddressFamily, SocketType.Stream, ProtocolType.Tcp))
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
        {
            (driver.NoDelay, server.NoDelay) = (true, true);
            try
            {
                await server.ConnectAsync(_server, stop.Token);
            }
            catch (Exception exception) when (IsEnd(exception))
            {
                return;
            }

            var answers = PassAnswers(server, driver, stop);
            await Pass(driver, server, null, stop.Token);
            await stop.CancelAsync();
            await answers;
        }
    }

    private async Task PassAnswers(Socket server, Socket driver, CancellationTokenSource stop)
    {
        if (await Pass(server, driver, Count, stop.Token))
        {
            try
            {
                // The driver reads what it has received, and then closes its side.
                driver.Shutdown(SocketShutdown.Send);
                return;
            }
            catch (Exception exception) when (IsEnd(exception))
            {
            }
        }

        await (_isOverLimit ? _stop : stop).CancelAsync();
    }

    private bool Count(int bytes)
    {
        if (Interlocked.Add(ref _left, -bytes) < 0)
        {
            _isOverLimit = true;
        }

        return !_isOverLimit;
    }

    // Passes bytes on until the sender has closed its side. Returns false when this ends earlier.
    private static async Task<bool> Pass(Socket from, Socket to, Func<int, bool>? mayPass, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, ct)) > 0)
            {
                if (mayPass?.Invoke(read) is false)
                {
                    return false;
                }

                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), ct);
                }
            }

            return true;
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool IsEnd(Exception exception) => exception is SocketException or OperationCanceledException or ObjectDisposedException;

    /// <summary>Closes the connection of the driver, if there is one, and then the relay.</summary>
    public async ValueTask Close(DbConnection? connection)
    {
        var closing = connection?.DisposeAsync().AsTask() ?? Task.CompletedTask;
        await Task.WhenAny(closing, Task.Delay(MaxClose));
        await DisposeAsync();
        await closing;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _listener.Stop();
        await _accepting;
        await Task.WhenAny(Task.WhenAll(_connections), Task.Delay(Goodbye));
        await _stop.CancelAsync();
        await Task.WhenAll(_connections);
        _stop.Dispose();
    }
}
