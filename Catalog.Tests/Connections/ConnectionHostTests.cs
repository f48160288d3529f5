using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Connections;

[Trait("Category", "Fast")]
public sealed class ConnectionHostsOnSqlite(SqliteTestDatabase database) : ConnectionHostTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ConnectionHostsOnPostgres(PostgresTestDatabase database)
    : ConnectionHostTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>
/// Invalid host names are refused at registration; every other failure of a connection test has a status.
/// </summary>
public abstract class ConnectionHostTests(TestDatabase database)
    : EndpointTestBase(database, ("DATAXPIPE_SECRET_KEY", SecretSearch.SecretKey))
{
    private const string Connections = "/api/v1/connections/";

    public static TheoryData<string> InvalidHosts =>
    [
        string.Join('.', Enumerable.Repeat("abcdefg", 40)), new string('a', 300), new string('a', 64) + ".example", "a..b", ".a", "..", ".",
        "a\u0001b", "a\tb", "a\u007fb", "a b", "a\u0080b", "a\u200bb", "xn--", new string('ü', 64) + ".example", "a\nb", "-",
        "ö\u0301\uffff.example",
        "1.2.3.4.5.6.", "[::1", "::1]", "a%b", "300.1.1.1",
    ];

    [Theory]
    [MemberData(nameof(InvalidHosts))]
    public async Task An_invalid_host_is_422_or_its_test_returns_a_status(string host)
    {
        foreach (var config in new object[] {
            new { host }, new { dsn = $"postgresql://u:c4nary@{Uri.EscapeDataString(host)}/d?sslmode=disable" } })
        {
            var id = Guid.NewGuid().ToString();
            var posted = await Client.PostJson(Connections, new { id, type = "postgres", config });
            if (posted.StatusCode == HttpStatusCode.UnprocessableEntity)
            {
                continue;
            }

            Assert.Equal(HttpStatusCode.Created, posted.StatusCode);
            Assert.Contains(await Test(id), new[] { "unreachable", "refused" });
        }
    }

    [Theory]
    [InlineData(256)]
    [InlineData(254)]
    public async Task A_too_long_host_is_422(int length) =>
        await (await Client.PostJson(
            Connections,
            new
            {
                id = Name,
                type = "postgres",
                config = new
                {
                    host = string.Join('.', Enumerable.Repeat("abcdefg", 40))[..length]
                    .TrimEnd('.') + "b"
                }
            })).Problem(422, "invalid");

    [Theory]
    [InlineData("a..b")]
    [InlineData("a\u0001b")]
    [InlineData(".a")]
    public async Task Empty_labels_and_control_characters_are_422(string host) =>
        await (await Client.PostJson(Connections, new { id = Name, type = "postgres", config = new { host } })).Problem(422, "invalid");

    [Theory]
    [InlineData("db.example")]
    [InlineData("db.example.")]
    [InlineData("db_1.example")]
    [InlineData("bücher.example")]
    [InlineData("192.0.2.1")]
    [InlineData("2001:db8::1")]
    public async Task A_valid_host_is_accepted(string host) =>
        Assert.Equal(HttpStatusCode.Created,
            (await Client.PostJson(Connections, new { id = Name, type = "postgres", config = new { host } })).StatusCode);

    [Fact]
    public async Task A_stored_invalid_host_is_unreachable()
    {
        foreach (var host in new[] { new string('a', 300), "a..b", "a\u0001b" })
        {
            var id = Guid.NewGuid().ToString();
            await Client.PostJson(Connections, new { id, type = "postgres", config = new { host = "h" } });
            await Database.Database.Write("default", session => session.Execute(
                "update connections set config = @config where organization_id = 'default' and id = @id",
                new { id, config = JsonSerializer.Serialize(new { host }) }, Ct), Ct);

            Assert.Equal("unreachable", await Test(id));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("N")]
    [InlineData("S")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("E\0\0\0\u0007abc")]
    [InlineData("R\0\0\0\u0008\0\0\0\u0063")]
    [InlineData("R\u007f\u007f\u007f\u007f")]
    [InlineData("E\0\0\0\u0012SFATAL\0C57P03\0\0")]
    public async Task Any_answer_of_the_server_gives_a_status(string reply)
    {
        foreach (var mode in new[] { "disable", "prefer", "require", "verify-full" })
        {
            using var server = new TcpListener(IPAddress.Loopback, 0);
            server.Start();
            var answering = Task.Run(async () =>
            {
                try
                {
                    while (true)
                    {
                        using var client = await server.AcceptTcpClientAsync(Ct);
                        var bytes = new byte[4096];
                        _ = await client.GetStream().ReadAsync(bytes, Ct);
                        await client.GetStream().WriteAsync(System.Text.Encoding.Latin1.GetBytes(reply), Ct);
                    }
                }
                catch (Exception exception) when (exception is SocketException or InvalidOperationException or IOException)
                {
                    // The test has ended.
                }
            }, Ct);
            var id = Guid.NewGuid().ToString();
            await Client.PostJson(
                Connections,
                new
                {
                    id,
                    type = "postgres",
                    config = new
                    {
                        host = "127.0.0.1",
                        port = ((IPEndPoint)server.LocalEndpoint).Port,
                        user = "u",
                        password = "p",
                        sslmode = mode
                    }
                });

            Assert.Contains(await Test(id), new[] { "unreachable", "tls_failed", "authentication_failed" });
            server.Stop();
            await answering;
        }
    }

    private async Task<string?> Test(string id)
    {
        var answer = await Send(HttpMethod.Post, $"{Connections}{id}/test");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Json()).GetProperty("status").GetString();
    }
}
