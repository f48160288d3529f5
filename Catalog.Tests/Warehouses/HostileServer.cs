using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Catalog.Tests.Warehouses;

/// <summary>
/// A server on loopback that misbehaves. With a real server behind it, it passes everything on until the client sends
/// the text <c>hostile</c>; then its own answer follows.
/// </summary>
public sealed class HostileServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Stream, CancellationToken, Task> _answer;
    private readonly int? _real;

    public HostileServer(Func<Stream, CancellationToken, Task> answer, int? real = null)
    {
        (_answer, _real) = (answer, real);
        _listener.Start();
        _ = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The number of connections.</summary>
    public int Connections { get; private set; }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Connections++;
                _ = Task.Run(() => Serve(client));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                if (_real is { } port)
                {
                    await PassOn(client.GetStream(), port);
                }

                await _answer(client.GetStream(), _stop.Token);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException
                or ObjectDisposedException)
            {
            }
        }
    }

    private async Task PassOn(NetworkStream client, int port)
    {
        using var real = new TcpClient();
        await real.ConnectAsync(IPAddress.Loopback, port, _stop.Token);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var answers = real.GetStream().CopyToAsync(client, stop.Token);
        var buffer = new byte[65536];
        for (int read; (read = await client.ReadAsync(buffer, _stop.Token)) > 0;)
        {
            if (buffer.AsSpan(0, read).IndexOf("hostile"u8) >= 0)
            {
                break;
            }

            await real.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }

        await stop.CancelAsync();
        await answers.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>Never answers.</summary>
    public static Task Silence(Stream stream, CancellationToken ct) => Task.Delay(Timeout.Infinite, ct);

    /// <summary>Closes at once.</summary>
    public static Task Close(Stream stream, CancellationToken ct) => Task.CompletedTask;

    /// <summary>Sends these bytes, then one byte a second.</summary>
    public static Func<Stream, CancellationToken, Task> Drip(byte[] bytes) => async (stream, ct) =>
    {
        for (var i = 0; ; i++)
        {
            await stream.WriteAsync(bytes.AsMemory(i % bytes.Length, 1), ct);
            await Task.Delay(1000, ct);
        }
    };

    /// <summary>Sends these bytes, then others without end.</summary>
    public static Func<Stream, CancellationToken, Task> Endless(byte[] first, byte[] again) => async (stream, ct) =>
    {
        await stream.WriteAsync(first, ct);
        var block = Enumerable.Repeat(again, Math.Max(1, 65536 / again.Length)).SelectMany(bytes => bytes).ToArray();
        while (true)
        {
            await stream.WriteAsync(block, ct);
        }
    };

    /// <summary>Sends these bytes, then nothing.</summary>
    public static Func<Stream, CancellationToken, Task> Send(params byte[][] messages) => async (stream, ct) =>
    {
        foreach (var bytes in messages)
        {
            await stream.WriteAsync(bytes, ct);
        }

        await Task.Delay(Timeout.Infinite, ct);
    };

    /// <summary>Reads the request first.</summary>
    public static Func<Stream, CancellationToken, Task> AfterRequest(Func<Stream, CancellationToken, Task> answer) => async (stream, ct) =>
    {
        _ = await stream.ReadAsync(new byte[65536], ct);
        await answer(stream, ct);
    };

    /// <summary>A message of the Postgres protocol.</summary>
    /// <param name="type">Its letter.</param>
    /// <param name="body">Its content.</param>
    /// <param name="length">The length that it announces; null is the true one.</param>
    public static byte[] Message(char type, byte[] body, int? length = null) => [(byte)type, .. Int(length ?? (body.Length + 4)), .. body];

    public static byte[] Int(int number) => [(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number];

    public static byte[] Short(int number) => [(byte)(number >> 8), (byte)number];

    /// <summary>The start of a Postgres result with columns of one type.</summary>
    public static byte[] Columns(int count, int type) =>
    [
        .. Message('1', []), .. Message('2', []),
        .. Message('T', [.. Short(count), .. Enumerable.Range(0, count).SelectMany(i =>
            Encoding.ASCII.GetBytes($"c{i}\0").Concat(Int(0)).Concat(Short(0)).Concat(Int(type)).Concat(Short(-1)).Concat(Int(-1))
                .Concat(Short(type == 25 ? 0 : 1)))]),
    ];
}
