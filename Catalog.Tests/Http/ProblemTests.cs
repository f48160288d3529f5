using System.Net;
using System.Net.Sockets;
using System.Text;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Http;

/// <summary>
/// Every error is a problem document: errors of the router, the server, the body reader and authentication.
/// </summary>
[Trait("Category", "Fast")]
public sealed class ProblemTests : IClassFixture<SqliteTestDatabase>, IDisposable
{
    private readonly CatalogApp _app;
    private readonly HttpClient _client;

    public ProblemTests(SqliteTestDatabase database)
    {
        _app = database.SharedService();
        _client = _app.Client();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/api/v1/nothing")]
    [InlineData("/api/v2/runs")]
    public async Task Unknown_paths_are_404(string path) => await (await _client.GetAsync(path, Ct)).Problem(404, "not_found");

    [Fact]
    public async Task Wrong_methods_are_405_with_the_allowed_methods()
    {
        var answer = await _client.DeleteAsync("/api/v1/runs/", Ct);

        await answer.Problem(405, "method_not_allowed");
        Assert.Equal(["GET", "HEAD", "POST"], answer.Content.Headers.Allow.Order());
    }

    [Fact]
    public async Task A_problem_is_returned_for_any_Accept_header()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/nothing");
        request.Headers.Accept.ParseAdd("text/html");

        await (await _client.SendAsync(request, Ct)).Problem(404, "not_found");
    }

    [Theory]
    [InlineData("{", "application/json", 400, "malformed")]
    [InlineData("", "application/json", 400, "malformed")]
    [InlineData("{} {}", "application/json", 400, "malformed")]
    [InlineData("{'a':1}", "application/json", 400, "malformed")]
    [InlineData("""{"status":"\ud800"}""", "application/json", 400, "malformed")]
    [InlineData("{}", "text/plain", 415, "unsupported_media_type")]
    [InlineData("{}", "application/json; charset=utf-16", 415, "unsupported_media_type")]
    [InlineData("{}", "application/vnd.x+json; charset=\"UTF-8\"", 422, "invalid")]
    public async Task Unreadable_bodies_are_refused_with_the_reason(string body, string type, int status, string code)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type);

        await (await _client.PostAsync("/api/v1/runs/", content, Ct)).Problem(status, code);
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_are_400()
    {
        using var content = new ByteArrayContent([.. "{\"status\":\""u8, 0xff, .. "\"}"u8]);
        content.Headers.ContentType = new("application/json");

        await (await _client.PostAsync("/api/v1/runs/", content, Ct)).Problem(400, "malformed");
    }

    [Theory]
    [InlineData("/api/v1/runs/", 1024 * 1024)]
    [InlineData("/api/v1/checks/results", 32 * 1024 * 1024)]
    [InlineData("/checks/results", 32 * 1024 * 1024)]
    public async Task Bodies_over_the_limit_are_413_and_bodies_at_the_limit_are_read(string path, int limit)
    {
        async Task<HttpResponseMessage> Post(int size, bool chunked)
        {
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes("{}" + new string(' ', size - 2)));
            content.Headers.ContentType = new("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
            request.Headers.TransferEncodingChunked = chunked;
            return await _client.SendAsync(request, Ct);
        }

        await (await Post(limit, false)).Problem(422, "invalid");
        await (await Post(limit + 1, false)).Problem(413, "too_large");
        await (await Post(limit + 1, true)).Problem(413, "too_large");
    }

    [Fact]
    public async Task Long_URLs_and_headers_are_refused_as_problems()
    {
        await (await _client.GetAsync("/api/v1/runs/?pipeline_id=" + new string('a', 9000), Ct)).Problem(414, "uri_too_long");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.Add("X-Long", new string('a', 40_000));
        await (await _client.SendAsync(request, Ct)).Problem(431, "headers_too_large");
    }

    [Fact]
    public async Task Answers_carry_no_server_name_and_forbid_sniffing()
    {
        var answer = await _client.GetAsync("/health", Ct);

        Assert.Empty(answer.Headers.Server);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
    }

    [Theory]
    [InlineData("GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GARBAGE\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("POST /runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("POST /runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n")]
    public async Task Invalid_HTTP_is_refused_by_the_server(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _client.BaseAddress!.Port, Ct);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), Ct);
        using var reader = new StreamReader(socket.GetStream());

        Assert.StartsWith("HTTP/1.1 400", await reader.ReadLineAsync(Ct));
        Assert.Empty(_app.Log.At(LogLevel.Error));
    }

    public void Dispose()
    {
        _client.Dispose();
    }
}
