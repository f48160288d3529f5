using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Catalog.Tests.Support;

/// <summary>
/// A TCP proxy in front of Postgres that delays answers, keeps all bytes back, or cuts a connection after a commit.
/// </summary>
public sealed class FaultProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly UriBuilder _server;
    private volatile TaskCompletionSource _open = new();
    private int _cuts;

    /// <param name="address">The address of the server.</param>
    public FaultProxy(string address)
    {
        _server = new UriBuilder(address);
        _open.SetResult();
        _listener.Start(512);
        _ = Accept();
    }

    /// <summary>The address through the proxy.</summary>
    public string Address =>
        new UriBuilder(_server.Uri) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri.ToString();

    /// <summary>The delay of each answer.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>The share of commits whose answer is replaced by a reset of the connection.</summary>
    public double CutShare { get; set; }

    /// <summary>The number of commits that were cut.</summary>
    public int Cuts => _cuts;

    /// <summary>The number of connections at this moment.</summary>
    public int Connections => _sockets.Count;

    /// <summary>
    /// Keeps all bytes back and closes nothing, as a network that drops packets. Neither side learns that the other has
    /// closed.
    /// </summary>
    public void Partition() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends a partition. The bytes that were kept back arrive.</summary>
    public void Heal() => _open.TrySetResult();

    public void Dispose()
    {
        _listener.Dispose();
        Heal();
        foreach (var socket in _sockets.Keys)
        {
            Reset(socket);
        }
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                _ = Serve(await _listener.AcceptSocketAsync());
            }
        }
        catch (Exception disposed) when (disposed is SocketException or ObjectDisposedException)
        {
            // Dispose has closed the listener.
        }
    }

    private async Task Serve(Socket client)
    {
        _sockets[client] = true;
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        (client.NoDelay, server.NoDelay) = (true, true);
        try
        {
            await _open.Task;
            await server.ConnectAsync(_server.Host, _server.Port);
            await Task.WhenAny(Forward(client, server, answers: false), Forward(server, client, answers: true));
        }
        catch (SocketException)
        {
            // The server accepts no connection, so the client is reset.
        }

        Reset(client);
        _sockets.TryRemove(client, out _);
    }

    // Ends when one side closes, or when a commit is cut.
    private async Task Forward(Socket from, Socket to, bool answers)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            for (int length; (length = await from.ReceiveAsync(buffer)) > 0;)
            {
                var bytes = buffer.AsMemory(0, length);
                if (answers && Delay > TimeSpan.Zero)
                {
                    await Task.Delay(Delay);
                }

                await _open.Task;
                if (answers && CutShare > 0 && EndsCommit(bytes.Span) && Random.Shared.NextDouble() < CutShare)
                {
                    Interlocked.Increment(ref _cuts);
                    return;
                }

                for (var sent = 0; sent < length;)
                {
                    sent += await to.SendAsync(bytes[sent..]);
                }
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // A side has closed.
        }

        await _open.Task;
    }

    // Whether an answer ends with ReadyForQuery outside a transaction, after a statement that inserted rows or a
    // COMMIT.
    private static bool EndsCommit(ReadOnlySpan<byte> answer) =>
        answer.EndsWith("Z\0\0\0\u0005I"u8) && (answer.IndexOf("COMMIT\0"u8) >= 0 || answer.IndexOf("INSERT 0 "u8) >= 0);

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new(true, 0);
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // It is already closed.
        }

        socket.Dispose();
    }
}
