using System.Diagnostics;
using System.Text;
using Catalog.Data.Warehouses;
using Catalog.Tests.Support;

namespace Catalog.Tests.Warehouses;

/// <summary>
/// Servers that lie. Each statement and each test of a connection ends in time and names its problem.
/// </summary>
[Trait("Fault", "F34")]
public sealed class HostileServerTests
{
    private const int Text = 25;
    private const int Int4 = 23;

    private static readonly WarehouseLimits Limits = new() { Timeout = TimeSpan.FromSeconds(0.5), MaxBytes = 64 * 1024 };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static readonly byte[] Row = HostileServer.Message('D', [.. HostileServer.Short(1), .. HostileServer.Int(4), .. "abcd"u8]);

    private static readonly Dictionary<string, (Func<Stream, CancellationToken, Task> Answer, WarehouseProblem[] Problems)> Answers = new()
    {
        ["silence"] = (HostileServer.Silence, [WarehouseProblem.Timeout]),
        ["closed"] = (HostileServer.Close, [WarehouseProblem.Unreachable]),
        ["one byte a second"] = (HostileServer.Drip(HostileServer.Columns(1, Text)), [WarehouseProblem.Timeout]),
        ["endless rows of a limited number of bytes"] =
            (HostileServer.Endless(HostileServer.Columns(1, Text), Row), [WarehouseProblem.TooMuchData]),
        ["a value of 2 GB"] = (HostileServer.Endless(
            [.. HostileServer.Columns(1, Text), .. HostileServer.Message('D', [0, 1, 0x7f, 0xff, 0xff, 0xf0], int.MaxValue)],
            new byte[65536]), [WarehouseProblem.TooMuchData]),
        ["a value of 2 GB in the second column"] = (HostileServer.Endless(
            [.. HostileServer.Columns(2, Text), .. HostileServer.Message('D', [0, 2, 0, 0, 0, 1, 65, 0x7f, 0xff, 0xff, 0], int.MaxValue)],
            new byte[65536]), [WarehouseProblem.TooMuchData]),
        ["30000 columns"] = (HostileServer.Endless(HostileServer.Columns(30000, Text), Row),
            [WarehouseProblem.TooMuchData, WarehouseProblem.Unreachable]),
        ["a row of a negative length"] = (HostileServer.Send(HostileServer.Columns(1, Text), HostileServer.Message('D', [0, 1], -5)),
            [WarehouseProblem.Unreachable, WarehouseProblem.Timeout, WarehouseProblem.Sql, WarehouseProblem.TooMuchData]),
        ["a value of a negative length"] = (HostileServer.Send(
            HostileServer.Columns(1, Text), HostileServer.Message('D', [0, 1, 0xff, 0xff, 0xff, 0xf0])),
            [WarehouseProblem.Unreachable, WarehouseProblem.Timeout, WarehouseProblem.Sql, WarehouseProblem.TooMuchData]),
        ["a value longer than its row"] = (HostileServer.Send(
            HostileServer.Columns(1, Text), HostileServer.Message('D', [0, 1, 0, 0, 0x10, 0, 65])),
            [WarehouseProblem.Unreachable, WarehouseProblem.Timeout, WarehouseProblem.Sql]),
        ["a number of a wrong length"] = (HostileServer.Send(
            HostileServer.Columns(1, Int4), HostileServer.Message('D', [0, 1, 0, 0, 0, 2, 1, 2])),
            [WarehouseProblem.Unreachable, WarehouseProblem.Timeout, WarehouseProblem.Sql]),
        ["an unknown type"] = (HostileServer.Send(HostileServer.Columns(1, 99999999), Row),
            [WarehouseProblem.Unreachable, WarehouseProblem.Timeout, WarehouseProblem.Sql]),
        ["endless notices"] = (HostileServer.Endless([], HostileServer.Message('N', [.. "SNOTICE\0VNOTICE\0C00000\0Mx\0\0"u8])),
            [WarehouseProblem.Timeout, WarehouseProblem.Unreachable, WarehouseProblem.TooMuchData]),
        ["an error of 2 GB"] = (HostileServer.Endless(HostileServer.Message('E', [], int.MaxValue), new byte[65536]),
            [WarehouseProblem.TooMuchData, WarehouseProblem.Unreachable]),
        ["noise"] = (HostileServer.Endless([], [.. "noise\u0001\u0002"u8]), [WarehouseProblem.TooMuchData]),
    };

    public static TheoryData<string> Names => [.. Answers.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_lying_Postgres_server_ends_with_a_word(string name)
    {
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");
        var (answer, problems) = Answers[name];
        var real = new Uri(PostgresServer.Shared.Uri);
        using var server = new HostileServer(answer, real.Port);
        await using var warehouse = new WarehouseFactory(new(true), new(null), null).Create("acme", new()
        {
            Type = "postgres",
            Dsn = $"postgresql://{real.UserInfo}@127.0.0.1:{server.Port}/postgres?sslmode=disable",
        });
        // An answer that must exceed the limit of bytes gets the time that a busy machine needs to read so many.
        var timeout = problems.Contains(WarehouseProblem.Timeout) ? Limits.Timeout : TimeSpan.FromSeconds(3);
        await using var session = await warehouse.Open(Limits with { MaxRows = int.MaxValue, Timeout = timeout }, Ct);
        var clock = Stopwatch.StartNew();

        var query = session.Query("select 'hostile'", Ct);
        var most = 0L;
        for (var before = GC.GetTotalMemory(true); !query.IsCompleted; await Task.WhenAny(query, Task.Delay(20, Ct)))
        {
            most = Math.Max(most, GC.GetTotalMemory(true) - before);
        }

        var problem = await Assert.ThrowsAsync<WarehouseException>(() => query);

        Assert.Contains(problem.Problem, problems);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 6);
        // The driver reserves memory for a message that is not a row, whatever length the server announces. Most of
        // this memory stays unused (see ServerMessageLengthTests). When the endless notices are cut, the driver may
        // read the text of a notice as a length.
        Assert.InRange(most, 0, name is "an error of 2 GB" or "noise" or "endless notices" ? long.MaxValue : 256_000_000);
        // The session goes on with a new connection.
        Assert.Equal(1L, Assert.Single((await session.Query("select 1", Ct)).Rows)[0]);
    }

    [Fact]
    public async Task Endless_rows_are_left_unread()
    {
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");
        var real = new Uri(PostgresServer.Shared.Uri);
        using var server = new HostileServer(HostileServer.Endless(HostileServer.Columns(1, Text), Row), real.Port);
        await using var warehouse = new WarehouseFactory(new(true), new(null), null).Create("acme", new()
        {
            Type = "postgres",
            Dsn = $"postgresql://{real.UserInfo}@127.0.0.1:{server.Port}/postgres?sslmode=disable",
        });
        await using var session = await warehouse.Open(Limits, Ct);
        var clock = Stopwatch.StartNew();

        var rows = await session.Query("select 'hostile'", Ct);

        Assert.Equal(1000, rows.Rows.Count);
        Assert.True(rows.Truncated);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 3);
    }

    [Theory]
    [InlineData("silence")]
    [InlineData("one byte a second")]
    [InlineData("endless packets")]
    [InlineData("closed")]
    [InlineData("noise")]
    public async Task A_lying_MariaDB_server_ends_with_a_word(string name)
    {
        MariaDbServer.Shared.Require();
        using var server = new HostileServer(name switch
        {
            "silence" => HostileServer.Silence,
            "one byte a second" => HostileServer.Drip([7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]),
            "closed" => HostileServer.Close,
            "noise" => HostileServer.Endless([], [.. "noise\u0001\u0002"u8]),
            _ => HostileServer.Endless([1, 0, 0, 1, 1], [1, 0, 0, 2, 1]),
        }, MariaDbServer.Shared.Port);
        await using var warehouse = new WarehouseFactory(new(true), new(null), null).Create("acme", new()
        {
            Type = "mariadb",
            Host = "127.0.0.1",
            Port = server.Port,
            User = "root",
            SslMode = "disable",
        });
        await using var session = await warehouse.Open(Limits, Ct);
        var clock = Stopwatch.StartNew();

        await Assert.ThrowsAsync<WarehouseException>(() => session.Query("select 'hostile'", Ct));

        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 6);
        Assert.Equal(1L, Assert.Single((await session.Query("select 1", Ct)).Rows)[0]);
    }

    [Fact]
    public async Task A_test_of_a_connection_ends_in_time()
    {
        string[] types = ["postgres", "mysql", "mariadb", "clickhouse"];
        (string Name, Func<Stream, CancellationToken, Task> Answer)[] answers =
        [
            ("silence", HostileServer.Silence), ("closed", HostileServer.Close), ("drip", HostileServer.Drip([.. "HTTP/1.1 200 OK\r\n"u8])),
            ("noise", HostileServer.Endless([], [.. "noise\u0001\u0002"u8])), ("zeros", HostileServer.Endless([], new byte[100])),
            ("http", HostileServer.Send([.. "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"u8])),
            ("tls", HostileServer.AfterRequest(HostileServer.Send([.. "S"u8, 22, 3, 3, 0xff, 0xff]))),
            ("alert", HostileServer.AfterRequest(HostileServer.Send([.. "S"u8, 21, 3, 3, 0, 2, 2, 40]))),
            ("mysql", HostileServer.Send([0x4a, 0, 0, 0, 10, .. Encoding.ASCII.GetBytes("8.0.0\0"), .. new byte[66]])),
        ];
        await Task.WhenAll(types.SelectMany(type => answers.SelectMany(answer => new[] { "disable", "require" }.Select(async mode =>
        {
            using var server = new HostileServer(answer.Answer);
            await using var warehouse = new WarehouseFactory(new(true), new(null), null).Create("acme", new()
            {
                Type = type,
                Host = "127.0.0.1",
                Port = server.Port,
                User = "u",
                Password = "p",
                SslMode = mode,
            });
            var clock = Stopwatch.StartNew();
            var (state, _) = await warehouse.Test(Ct);
            Assert.True(state is WarehouseState.Unreachable or WarehouseState.TlsFailed or WarehouseState.AuthenticationFailed,
                $"{type} {answer.Name} {mode}: {state}");
            Assert.True(clock.Elapsed.TotalSeconds < 10, $"{type} {answer.Name} {mode}: {clock.Elapsed}");
        }))));
    }
}
