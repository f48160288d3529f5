using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Catalog.Data.Warehouses;

namespace Catalog.Tests.Warehouses;

[Trait("Category", "Fast")]
public sealed class LimitedRelayTests : IAsyncLifetime
{
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);
    private LimitedRelay _relay = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private int ServerPort => ((IPEndPoint)_server.LocalEndpoint).Port;

    public ValueTask InitializeAsync()
    {
        _server.Start();
        _relay = new(IPAddress.Loopback, ServerPort);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        _server.Dispose();
    }

    [Fact]
    public async Task Both_directions_are_passed_on()
    {
        using var pair = await Connect();
        await pair.Driver.SendAsync("ask"u8.ToArray(), Ct);
        Assert.Equal("ask"u8.ToArray(), await Read(pair.Server, 3));
        await pair.Server.SendAsync("answer"u8.ToArray(), Ct);
        Assert.Equal("answer"u8.ToArray(), await Read(pair.Driver, 6));
    }

    [Fact]
    public async Task All_connections_share_the_limit_and_end_with_it()
    {
        using var first = await Connect();
        using var second = await Connect();
        var block = new byte[1024 * 1024];
        for (var i = 0; i < 4; i++)
        {
            await Task.WhenAll(first.Server.SendAsync(block, Ct).AsTask(), Read(first.Driver, block.Length));
        }

        Assert.False(_relay.IsOverLimit);
        await second.Server.SendAsync(new byte[1], Ct);
        Assert.Equal(0, await ReadEnd(second.Driver));
        Assert.Equal(0, await ReadEnd(first.Driver));
        Assert.True(_relay.IsOverLimit);
    }

    [Fact]
    public async Task The_next_statement_has_a_new_limit()
    {
        using var pair = await Connect();
        var block = new byte[4 * 1024 * 1024];
        for (var i = 0; i < 3; i++)
        {
            await Task.WhenAll(pair.Server.SendAsync(block, Ct).AsTask(), Read(pair.Driver, block.Length));
            _relay.BeginStatement();
        }

        Assert.False(_relay.IsOverLimit);
    }

    [Fact]
    public async Task A_side_that_closes_ends_the_other()
    {
        using (var pair = await Connect())
        {
            await pair.Driver.SendAsync("bye"u8.ToArray(), Ct);
            pair.Driver.Dispose();
            Assert.Equal("bye"u8.ToArray(), await Read(pair.Server, 3));
            Assert.Equal(0, await ReadEnd(pair.Server));
        }

        using (var pair = await Connect())
        {
            await pair.Server.SendAsync("bye"u8.ToArray(), Ct);
            pair.Server.Dispose();
            Assert.Equal("bye"u8.ToArray(), await Read(pair.Driver, 3));
            Assert.Equal(0, await ReadEnd(pair.Driver));
        }

        using (var pair = await Connect())
        {
            pair.Server.LingerState = new(true, 0);
            pair.Server.Dispose();
            Assert.Equal(0, await ReadEnd(pair.Driver));
        }
    }

    [Fact]
    public async Task A_server_that_does_not_listen_closes_the_connection_of_the_driver()
    {
        _server.Stop();
        using var driver = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await driver.ConnectAsync(_relay.Host, _relay.Port, Ct);
        Assert.Equal(0, await ReadEnd(driver));
    }

    [Fact]
    public async Task Nothing_remains_after_the_end()
    {
        // The server never reads, and the driver stays open.
        using var pair = await Connect();
        var sending = pair.Driver.SendAsync(new byte[32 * 1024 * 1024], Ct).AsTask();

        await _relay.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(5), Ct);

        await Assert.ThrowsAsync<SocketException>(() => sending);
        var properties = IPGlobalProperties.GetIPGlobalProperties();
        Assert.DoesNotContain(properties.GetActiveTcpListeners(), listener => listener.Port == _relay.Port);
        Assert.DoesNotContain(properties.GetActiveTcpConnections(), connection => connection.State == TcpState.Established
            && (connection.LocalEndPoint.Port == _relay.Port || connection.RemoteEndPoint.Port == ServerPort));
    }

    [Fact]
    public async Task The_number_of_connections_is_limited()
    {
        var pairs = new List<Pair>();
        for (var i = 0; i < 8; i++)
        {
            pairs.Add(await Connect());
        }

        using var next = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            await next.ConnectAsync(_relay.Host, _relay.Port, Ct);
            await next.ReceiveAsync(new byte[1], Ct);
        });
        pairs.ForEach(pair => pair.Dispose());
    }

    private async Task<Pair> Connect()
    {
        var driver = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await driver.ConnectAsync(_relay.Host, _relay.Port, Ct);
        return new(driver, await _server.AcceptSocketAsync(Ct));
    }

    private static async Task<byte[]> Read(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            var part = await socket.ReceiveAsync(bytes.AsMemory(read), Ct);
            Assert.NotEqual(0, part);
            read += part;
        }

        return bytes;
    }

    // A reset counts as an end.
    private static async Task<int> ReadEnd(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1], Ct).AsTask().WaitAsync(TimeSpan.FromSeconds(5), Ct);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private sealed record Pair(Socket Driver, Socket Server) : IDisposable
    {
        public void Dispose()
        {
            Driver.Dispose();
            Server.Dispose();
        }
    }
}
