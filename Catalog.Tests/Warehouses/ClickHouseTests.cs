using System.Net;
using System.Text;
using Catalog.Data.Warehouses;

namespace Catalog.Tests.Warehouses;

/// <summary>ClickHouse against an imitation of its HTTP interface: no server of it is available for the tests.</summary>
[Trait("Category", "Fast")]
public sealed class ClickHouseTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    // RowBinaryWithNamesAndTypes: the number of columns, their names, their types, then the rows.
    private static byte[] Result(params string[] values) =>
        [1, 1, (byte)'a', 6, .. "String"u8, .. values.SelectMany(value => Encoding.ASCII.GetBytes(value).Prepend((byte)value.Length))];

    private static Func<Stream, CancellationToken, Task> Http(
        List<string> requests, Func<string, (int Status, byte[] Body, long? Length)> answer) =>
        async (stream, ct) =>
        {
            var buffer = new byte[65536];
            for (var text = ""; ;)
            {
                var read = await stream.ReadAsync(buffer, ct);
                if (read == 0)
                {
                    return;
                }

                text += Encoding.UTF8.GetString(buffer, 0, read);
                if (!text.Contains("select", StringComparison.Ordinal) || text.Length < 20)
                {
                    continue;
                }

                requests.Add(text);
                var (status, body, length) = answer(text);
                text = "";
                var head = $"HTTP/1.1 {status} X\r\nContent-Length: {length ?? body.Length}\r\nX-ClickHouse-Format: RowBinaryWithNamesAndTypes\r\n"
                    + "Location: http://127.0.0.1:1/\r\n\r\n";
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head), ct);
                await stream.WriteAsync(body, ct);
                for (var sent = (long)body.Length; sent < (length ?? 0); sent += buffer.Length)
                {
                    await stream.WriteAsync(buffer, ct);
                }
            }
        };

    private static Warehouse Create(HostileServer server) => new WarehouseFactory(new(true), new(null), null).Create("acme", new()
    {
        Type = "clickhouse",
        Host = "127.0.0.1",
        Port = server.Port,
        User = "reader",
        Password = "c4nary",
        SslMode = "disable",
    });

    [Fact]
    public async Task Each_request_can_only_read_and_has_the_limits()
    {
        List<string> requests = [];
        using var server = new HostileServer(Http(requests, _ => (200, Result("one", "two"), null)));
        await using var warehouse = Create(server);
        await using var session = await warehouse.Open(new() { MaxRows = 5, Timeout = TimeSpan.FromSeconds(7) }, Ct);

        var rows = await session.Query("select a from t", Ct);

        Assert.Equal(["a"], rows.Columns);
        Assert.Equal(["one", "two"], rows.Rows.Select(row => row[0]));
        Assert.Equal(2, requests.Count);
        Assert.All(requests, request =>
        {
            Assert.Contains("readonly=1", request);
            Assert.Contains("max_execution_time=7", request);
            Assert.Contains("max_result_rows=6", request);
            Assert.DoesNotContain("c4nary", WebUtility.UrlDecode(request.Split('\n')[0]));
        });
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        using var target = new HostileServer(HostileServer.Close);
        using var server = new HostileServer(Http([], _ => (302, [], null)));
        await using var warehouse = Create(server);

        Assert.Equal(WarehouseState.Unreachable, (await warehouse.Test(Ct)).State);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task A_large_answer_ends_with_its_word()
    {
        foreach (var (body, length) in new (byte[], long)[]
        {
            // A text of 2 GB, and a row without end.
            ([1, 1, (byte)'a', 6, .. "String"u8, 0xff, 0xff, 0xff, 0xff, 7], 10_000_000_000),
            ([1, 1, (byte)'a', 6, .. "String"u8], 10_000_000_000),
        })
        {
            using var server = new HostileServer(Http([], text =>
                text.Contains("hostile", StringComparison.Ordinal) ? (200, body, length) : (200, Result("x"), null)));
            await using var warehouse = Create(server);
            await using var session = await warehouse.Open(new() { MaxRows = int.MaxValue, Timeout = TimeSpan.FromSeconds(3) }, Ct);
            var problem = await Assert.ThrowsAsync<WarehouseException>(() => session.Query("select 'hostile'", Ct));
            Assert.Contains(problem.Problem, new[] { WarehouseProblem.TooMuchData, WarehouseProblem.Timeout });
        }
    }

    [Theory]
    [InlineData(516, WarehouseProblem.Sql)]
    [InlineData(60, WarehouseProblem.TableMissing)]
    [InlineData(47, WarehouseProblem.ColumnMissing)]
    [InlineData(159, WarehouseProblem.Timeout)]
    [InlineData(164, WarehouseProblem.Refused)]
    [InlineData(497, WarehouseProblem.PermissionDenied)]
    [InlineData(396, WarehouseProblem.TooMuchData)]
    [InlineData(62, WarehouseProblem.Sql)]
    public async Task An_error_has_its_word(int code, WarehouseProblem expected)
    {
        using var server = new HostileServer(Http([], text => text.Contains("hostile", StringComparison.Ordinal)
            ? (500, Encoding.ASCII.GetBytes($"Code: {code}. DB::Exception: c4nary. (NAME)"), null) : (200, Result("x"), null)));
        await using var warehouse = Create(server);
        await using var session = await warehouse.Open(new(), Ct);

        var problem = await Assert.ThrowsAsync<WarehouseException>(() => session.Query("select 'hostile'", Ct));

        Assert.Equal(expected, problem.Problem);
        Assert.DoesNotContain("c4nary", problem.Message);
    }

    [Theory]
    [InlineData(516, WarehouseState.AuthenticationFailed)]
    [InlineData(81, WarehouseState.DatabaseMissing)]
    public async Task A_login_that_fails_has_its_word(int code, WarehouseState expected)
    {
        using var server = new HostileServer(Http([], _ => (403, Encoding.ASCII.GetBytes($"Code: {code}. DB::Exception: x. (NAME)"), null)));
        await using var warehouse = Create(server);
        Assert.Equal(expected, (await warehouse.Test(Ct)).State);
    }
}
