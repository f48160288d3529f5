using Catalog.Data.Warehouses;
using Catalog.Tests.Faults;
using Catalog.Tests.Support;

namespace Catalog.Tests.Warehouses;

/// <summary>
/// Servers announce messages of 2 GB and send them, and the service reads only a part. The tests run alone, because
/// other tests would use memory at the same time.
/// </summary>
[Collection(nameof(Alone))]
public sealed class ServerMessageLengthTests
{
    private const int Huge = 2_000_000_000;
    private const long MaxGrowth = 100_000_000;

    private static readonly byte[] Zeros = new byte[65536];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static readonly byte[] LoggedIn = HostileServer.Message('R', HostileServer.Int(0));

    private static readonly byte[] Ready =
    [
        .. LoggedIn, .. HostileServer.Message('S', [.. "server_version\015.0\0"u8]), .. HostileServer.Message('K', new byte[8]),
        .. HostileServer.Message('Z', [.. "I"u8]),
    ];

    // Protocol 4.1, transactions, a plugin for the login, and no TLS.
    private static readonly byte[] Greeting = Packet(0,
    [
        10, .. "8.0.30\0"u8, 1, 0, 0, 0, .. "12345678\0"u8, 0x08, 0xa2, 45, 2, 0, 0x08, 0, 21, .. new byte[10], .. "123456789012\0"u8,
        .. "mysql_native_password\0"u8,
    ]);

    private static readonly Dictionary<string, (string Type, Func<Stream, CancellationToken, Task> Answer)> Logins = new()
    {
        ["Postgres, before the login"] = ("postgres", HostileServer.AfterRequest(
            HostileServer.Endless(HostileServer.Message('R', [], Huge), Zeros))),
        ["Postgres, an error instead of the login"] = ("postgres", HostileServer.AfterRequest(
            HostileServer.Endless(HostileServer.Message('E', [], Huge), Zeros))),
        ["Postgres, after the login"] = ("postgres", HostileServer.AfterRequest(
            HostileServer.Endless([.. LoggedIn, .. HostileServer.Message('S', [], Huge)], Zeros))),
        ["Postgres, the list of types"] = ("postgres", HostileServer.AfterRequest(async (stream, ct) =>
        {
            await stream.WriteAsync(Ready, ct);
            await HostileServer.AfterRequest(HostileServer.Endless(HostileServer.Message('T', [], Huge), Zeros))(stream, ct);
        })),
        ["MySQL, before the login"] = ("mysql", (stream, ct) => Packets(stream, 0, ct)),
        ["MySQL, instead of the login"] = ("mysql", async (stream, ct) =>
        {
            await stream.WriteAsync(Greeting, ct);
            await HostileServer.AfterRequest((login, token) => Packets(login, 2, token))(stream, ct);
        }
        ),
        ["MySQL, after the login"] = ("mysql", async (stream, ct) =>
        {
            await stream.WriteAsync(Greeting, ct);
            await HostileServer.AfterRequest(
                (login, token) => login.WriteAsync(Packet(2, [0, 0, 0, 2, 0, 0, 0]), token).AsTask())(stream, ct);
            await HostileServer.AfterRequest((request, token) => Packets(request, 1, token))(stream, ct);
        }
        ),
    };

    public static TheoryData<string> Names => [.. Logins.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_test_of_a_connection_reads_a_part(string name)
    {
        var (type, answer) = Logins[name];
        using var server = new HostileServer(answer);
        await using var warehouse = new WarehouseFactory(new(true), new(null), null).Create("acme", new()
        {
            Type = type,
            Host = "127.0.0.1",
            Port = server.Port,
            User = "u",
            Password = "p",
            SslMode = "disable",
        });

        Assert.Equal(WarehouseState.Unreachable, (await InBounds(warehouse.Test(Ct))).State);
        Assert.Equal(1, server.Connections);
    }

    [Theory]
    [InlineData('E')]
    [InlineData('T')]
    [InlineData('N')]
    [InlineData('S')]
    public async Task A_statement_on_Postgres_reads_a_part(char message)
    {
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");
        var real = new Uri(PostgresServer.Shared.Uri);
        using var server = new HostileServer(HostileServer.Endless(HostileServer.Message(message, [], Huge), Zeros), real.Port);
        await using var warehouse = new WarehouseFactory(new(true), new(null), null).Create("acme", new()
        {
            Type = "postgres",
            Dsn = $"postgresql://{real.UserInfo}@127.0.0.1:{server.Port}/postgres?sslmode=disable",
        });
        await IsTooMuchData(warehouse);
    }

    [Fact]
    public async Task A_statement_on_MariaDB_reads_a_part()
    {
        MariaDbServer.Shared.Require();
        using var server = new HostileServer((stream, ct) => Packets(stream, 1, ct), MariaDbServer.Shared.Port);
        await using var warehouse = new WarehouseFactory(new(true), new(null), null).Create("acme", new()
        {
            Type = "mariadb",
            Host = "127.0.0.1",
            Port = server.Port,
            User = "root",
            SslMode = "disable",
        });
        await IsTooMuchData(warehouse);
    }

    private static async Task IsTooMuchData(Warehouse warehouse)
    {
        await using var session = await warehouse.Open(new() { Timeout = TimeSpan.FromSeconds(5) }, Ct);

        var problem = await Assert.ThrowsAsync<WarehouseException>(() => InBounds(session.Query("select 'hostile'", Ct)));

        Assert.Equal(WarehouseProblem.TooMuchData, problem.Problem);
        // The session goes on with a new connection.
        Assert.Equal(1L, Assert.Single((await session.Query("select 1", Ct)).Rows)[0]);
    }

    private static async Task<T> InBounds<T>(Task<T> operation)
    {
        var (before, most) = (Environment.WorkingSet, 0L);
        while (!operation.IsCompleted)
        {
            most = Math.Max(most, Environment.WorkingSet - before);
            await Task.WhenAny(operation, Task.Delay(5, Ct));
        }

        most = Math.Max(most, Environment.WorkingSet - before);
        Assert.InRange(most, long.MinValue, MaxGrowth);
        return await operation;
    }

    private static byte[] Packet(byte sequence, byte[] body) => [(byte)body.Length, 0, 0, sequence, .. body];

    // Packets of the largest size, which together are one message without end.
    private static async Task Packets(Stream stream, byte sequence, CancellationToken ct)
    {
        for (; ; sequence++)
        {
            await stream.WriteAsync(new byte[] { 0xff, 0xff, 0xff, sequence }, ct);
            for (var left = 0xffffff; left > 0; left -= Math.Min(left, Zeros.Length))
            {
                await stream.WriteAsync(Zeros.AsMemory(0, Math.Min(left, Zeros.Length)), ct);
            }
        }
    }
}
