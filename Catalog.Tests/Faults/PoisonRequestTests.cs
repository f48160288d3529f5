using System.Net.Sockets;
using System.Text;
using Catalog.Tests.Support;

namespace Catalog.Tests.Faults;

/// <summary>Requests that are large, deep, slow or endless are refused, and the next good request succeeds.</summary>
[Trait("Category", "Faults")]
[Trait("Fault", "F25")]
[Collection(nameof(Alone))]
public sealed class PoisonRequestTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    private const string Results = "/api/v1/checks/results";

    [Fact]
    public async Task Large_and_deep_bodies_are_refused_and_leave_no_memory()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        await Good();
        var deep = new string('[', 100_000);
        string[] bodies =
        [
            deep, $"{{\"id\":{deep}", $"{{\"message\":\"{new string('x', 10 * 1024 * 1024)}\"}}",
            $"{{\"message\":\"{string.Concat(Enumerable.Repeat("\\u0041", 1_700_000))}\"}}",
        ];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var statuses = new List<int>();
        foreach (var body in bodies)
        {
            for (var i = 0; i < 5; i++)
            {
                using var answer = await Send(HttpMethod.Post, "/api/v1/runs/", body);
                statuses.Add((int)answer.StatusCode);
            }
        }

        await Good();
        var grown = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1024 / 1024;
        Output.WriteLine($"{statuses.Count} refused with {string.Join(", ", statuses.Distinct().Order())}; memory grew by {grown} MB");
        Assert.All(statuses, status => Assert.InRange(status, 400, 499));
        Assert.InRange(grown, long.MinValue, 50);
        GC.KeepAlive(bodies);
    }

    [Fact]
    public async Task Slow_headers_and_endless_chunks_do_not_stop_other_requests()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        var slow = new List<TcpClient>();
        for (var i = 0; i < 100; i++)
        {
            slow.Add(await Begin($"GET /health HTTP/1.1\r\nHost: x\r\nX-{i}: "));
        }

        using var endless = await Begin(
            $"POST {Results} HTTP/1.1\r\nHost: x\r\nX-API-KEY: {CatalogApp.Key}\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n");
        var chunk = Encoding.ASCII.GetBytes($"10000\r\n{new string(' ', 65536)}\r\n");
        var sent = 0L;
        try
        {
            // The service is expected to answer and close the connection. If it does not, the loop ends after 512 MB.
            for (; sent < 512 * 1024 * 1024L; sent += 65536)
            {
                await endless.GetStream().WriteAsync(chunk, Ct);
            }
        }
        catch (IOException)
        {
            // Closed.
        }

        await Good();
        Output.WriteLine($"100 unfinished headers; closed after {sent / 1024 / 1024} MB of chunks; the next post is acknowledged");
        slow.ForEach(connection => connection.Dispose());
        Assert.InRange(sent, 0, 300 * 1024 * 1024);
    }

    private static ITestOutputHelper Output => TestContext.Current.TestOutputHelper!;

    private async Task Good()
    {
        using var answer = await Client.PostJson(Results, new { pipeline_id = Name, check_id = "c", status = "pass" });
        Assert.Equal(201, (int)answer.StatusCode);
    }

    private async Task<TcpClient> Begin(string head)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync(Client.BaseAddress!.Host, Client.BaseAddress.Port, Ct);
        await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Ct);
        return connection;
    }
}
