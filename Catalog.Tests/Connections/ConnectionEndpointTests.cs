using System.Net;
using System.Net.Sockets;
using System.Text;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Connections;

[Trait("Category", "Fast")]
public sealed class ConnectionEndpointsOnSqlite(SqliteTestDatabase database) : ConnectionEndpointTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class ConnectionEndpointsOnPostgres(PostgresTestDatabase database) : ConnectionEndpointTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class ConnectionEndpointTests(TestDatabase database)
    : EndpointTestBase(database, ("DATAXPIPE_SECRET_KEY", SecretSearch.SecretKey))
{
    private const string Path = "/api/v1/connections/";
    private const string Canary = $"{SecretSearch.Word}-pa55word";

    [Fact]
    public async Task A_connection_is_registered_read_replaced_and_deleted()
    {
        var body = $$"""{"id":"{{Name}}","type":"postgres","config":{"host":"db.example","port":5432,"user":"ann","password":"{{Canary}}","dbname":"shop","sslmode":"require"} }""";

        Assert.Equal(HttpStatusCode.Created, (await Send(HttpMethod.Post, Path, body)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Send(HttpMethod.Post, Path, body)).StatusCode);
        await (await Send(HttpMethod.Post, Path, body.Replace(Canary, "another"))).Problem(409, "id_taken");
        var read = await Client.GetJson(Path + Name);
        Assert.Equal("""{"host":"db.example","port":5432,"user":"ann","password":"***","dbname":"shop","sslmode":"require"}""",
            read.GetProperty("config").GetRawText());
        Assert.Contains((await Client.GetJson(Path + "?type=postgres&limit=500")).GetProperty("items").EnumerateArray(), item =>
            item.GetProperty("id").GetString() == Name);

        var replaced = await Send(HttpMethod.Put, Path + Name,
            """{"type":"postgres","config":{"host":"db2.example","password_secret":"vault/data/db-password"}}""");
        Assert.Equal("""{"host":"db2.example","password_secret":"vault/data/db-password"}""", (await replaced.Json()).GetProperty("config")
            .GetRawText());
        Assert.Null(await Database.Database.One<byte[]>("default", "select secrets from connections where id = @Name", new { Name }, Ct));

        Assert.Equal(HttpStatusCode.NoContent, (await Send(HttpMethod.Delete, Path + Name)).StatusCode);
        await (await Send(HttpMethod.Delete, Path + Name)).Problem(404, "not_found");
        await (await Send(HttpMethod.Get, Path + Name)).Problem(404, "not_found");
    }

    [Fact]
    public async Task Secrets_appear_in_no_answer_log_or_table()
    {
        var answers = new StringBuilder();
        async Task Post(string type, string config, HttpMethod? method = null, string? path = null)
        {
            var answer = await Send(
                method ?? HttpMethod.Post, path ?? Path, $$"""{"id":"{{Guid.NewGuid():N}}","type":"{{type}}","config":{{config}}}""");
            answers.Append(answer.Headers).AppendLine(await answer.Content.ReadAsStringAsync(Ct));
        }

        await Post("postgres", $$"""{"dsn":"postgresql://ann:{{Canary}}@127.0.0.1:1/shop?sslmode=disable"}""");
        await Post("postgres", $$"""{"dsn":"postgresql://ann:{{Canary}}@127.0.0.1:port/shop"}""");
        await Post("postgres", $$"""{"dsn":"postgresql://ann:x/{{Canary}}@127.0.0.1/shop"}""");
        await Post("postgres", $$"""{"dsn":"postgresql://127.0.0.1/shop?{{Canary}}=1"}""");
        await Post("postgres", $$"""{"dsn":"{{Canary}}"}""");
        await Post("postgres", $$"""{"host":"h","password":"{{Canary}}","nonsense":"{{Canary}}"}""");
        await Post("postgres", $$"""{"host":"127.0.0.1","port":1,"user":"ann","password":"{{Canary}}"}""");
        await Post("postgres", $$"""{"host":"h","password_secret":"{{Canary}}"}""");
        await Post("postgres", $$"""{"host":"h","sslmode":"{{Canary}}"}""");
        await Post("snowflake",
            $$"""{"account":"a","private_key":"{{Canary}}","token":"{{Canary}}","anything":"{{Canary}}","passphrase":"{{Canary}}"}""");
        foreach (var item in (await Client.GetJson(Path + "?limit=500")).GetProperty("items").EnumerateArray())
        {
            var id = item.GetProperty("id").GetString();
            answers.AppendLine(item.GetRawText()).AppendLine(await Client.GetStringAsync(Path + id, Ct));
            answers.AppendLine(await (await Send(HttpMethod.Post, $"{Path}{id}/test")).Content.ReadAsStringAsync(Ct));
        }

        answers.AppendLine(await Client.GetStringAsync("/openapi/v1.json", Ct));
        Assert.DoesNotContain(Canary, answers.ToString());
        Assert.DoesNotContain(App.Log.At(LogLevel.Trace), line => line.Contains(Canary, StringComparison.Ordinal)
            || line.Contains(CatalogApp.Key, StringComparison.Ordinal));
        Assert.DoesNotContain(CatalogApp.Key, answers.ToString());
        Assert.Contains("postgresql://ann:***@127.0.0.1:1/shop?sslmode=disable", answers.ToString());
        foreach (var table in await Database.Database.Many<byte[]>("default", "select secrets from connections where secrets is not null",
            null, Ct))
        {
            Assert.DoesNotContain(Canary, Encoding.Latin1.GetString(table));
        }

        Assert.DoesNotContain(await Database.Database.Many<string>("default", "select config from connections", null, Ct), config =>
            config.Contains(Canary, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"id":"a","type":"postgres"}""", "/config")]
    [InlineData("""{"id":"a","type":"postgres","config":{}}""", "/config")]
    [InlineData("""{"id":"a","type":"Postgres!","config":{}}""", "/type")]
    [InlineData("""{"id":"a","type":"postgres","config":{"dsn":"mysql://h/d"}}""", "/config/dsn")]
    [InlineData("""{"id":"a","type":"postgres","config":{"dsn":"postgresql://u:***@h/d"}}""", "/config/dsn")]
    [InlineData("""{"id":"a","type":"postgres","config":{"dsn":"postgresql://u@a,b/d"}}""", "/config/dsn")]
    [InlineData("""{"id":"a","type":"postgres","config":{"dsn":"postgresql://h/d?sslrootcert=/etc/passwd"}}""", "/config/dsn")]
    [InlineData("""{"id":"a","type":"postgres","config":{"host":"/var/run/postgresql"}}""", "/config")]
    [InlineData("""{"id":"a","type":"postgres","config":{"host":"h","password":"***"}}""", "/config/password")]
    [InlineData("""{"id":"a","type":"postgres","config":{"host":"h","password_secret":"c4nary"}}""", "/config/password_secret")]
    [InlineData("""{"id":"a","type":"postgres","config":{"host":"h","port":70000}}""", "/config")]
    [InlineData("""{"id":"a","type":"postgres","config":{"host":"http://u:c4nary@h"}}""", "/config")]
    [InlineData("""{"id":"a","type":"postgres","config":{"host":"u:c4nary@h"}}""", "/config")]
    [InlineData("""{"id":"a","type":"postgres","config":{"host":"h; password=c4nary"}}""", "/config")]
    [InlineData("""{"id":"a","type":"postgres","config":{"dsn":"postgresql://h/d","host":"h"}}""", "/config")]
    [InlineData("""{"id":"a","type":"postgres","config":{"host":"h","password":"p","password_secret":"a/b"}}""", "/config/password_secret")]
    [InlineData("""{"id":"a","type":"postgres","config":{"host":"h","options":"-c x=y"}}""", "/config/options")]
    [InlineData("""{"id":"a","type":"other","config":{"a":{"b":1}}}""", "/config/a")]
    [InlineData("""{"id":"a","type":"mysql","config":{"user":"u"}}""", "/config")]
    [InlineData("""{"id":"a","type":"mariadb","config":{"host":"h"}}""", "/config")]
    [InlineData("""{"id":"a","type":"mysql","config":{"host":"h","user":"u","dsn":"mysql://h"}}""", "/config/dsn")]
    [InlineData("""{"id":"a","type":"clickhouse","config":{"host":"h","user":"u","sslmode":"prefer"}}""", "/config")]
    [InlineData("""{"id":"a","type":"sqlite","config":{"path":"../a.db"}}""", "/config/path")]
    [InlineData("""{"id":"a","type":"duckdb","config":{"path":"/etc/passwd"}}""", "/config/path")]
    [InlineData("""{"id":"a","type":"duckdb","config":{}}""", "/config")]
    public async Task Invalid_configurations_are_422_with_a_pointer(string body, string pointer)
    {
        var problem = await (await Send(HttpMethod.Post, Path, body)).Problem(422, "invalid");

        Assert.Contains(problem.GetProperty("errors").EnumerateObject(), error => error.Name == pointer);
    }

    [Fact]
    public async Task A_connection_test_returns_a_status()
    {
        Assert.SkipWhen(PostgresServer.Shared.Unavailable is not null, PostgresServer.Shared.Unavailable ?? "");
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var server = new Uri(PostgresServer.Shared.Uri);
        var address = $"{server.UserInfo}@{server.Host}:{server.Port}";

        Assert.Equal("ok", await Test($$"""{"dsn":"postgresql://{{address}}/postgres?sslmode=disable"}"""));
        Assert.Equal("database_missing", await Test($$"""{"dsn":"postgresql://{{address}}/nothing_here?sslmode=disable"}"""));
        Assert.Equal(
            "authentication_failed", await Test(
                $$"""{"host":"{{server.Host}}","port":{{server.Port}},"user":"nobody_here","dbname":"postgres","sslmode":"disable"}"""));
        Assert.Equal("tls_failed", await Test($$"""{"dsn":"postgresql://{{address}}/postgres?sslmode=verify-full"}"""));
        Assert.Equal("unreachable", await Test("""{"dsn":"postgresql://a@127.0.0.1:1/d"}"""));
        Assert.Equal(
            "unreachable",
            await Test($$"""{"dsn":"postgresql://a@127.0.0.1:{{((IPEndPoint)silent.LocalEndpoint).Port}}/d?sslmode=disable"}"""));
        Assert.Equal("unreachable", await Test("""{"dsn":"postgresql://a@nothing.invalid/d"}"""));
        Assert.Equal("refused", await Test("""{"dsn":"postgresql://a@169.254.169.254/d"}"""));
        Assert.Equal("refused", await Test("""{"dsn":"postgresql://a@[::ffff:169.254.169.254]/d"}"""));
        Assert.Equal("refused", await Test("""{"account":"a"}""", "snowflake"));
        Assert.Equal("refused", await Test("""{"path":"a.db"}""", "sqlite"));
        Assert.Equal("unreachable", await Test("""{"host":"127.0.0.1","port":1,"user":"u"}""", "mysql"));
        Assert.Equal("unreachable", await Test("""{"host":"127.0.0.1","port":1,"user":"u"}""", "clickhouse"));
        Assert.Equal("secret_unavailable", await Test("""{"host":"127.0.0.1","user":"a","password_secret":"vault/data/db-password"}"""));
        await (await Send(HttpMethod.Post, Path + "nobody/test")).Problem(404, "not_found");
    }

    [Fact]
    public async Task The_services_own_password_is_never_sent()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var received = Task.Run(async () =>
        {
            using var client = await server.AcceptTcpClientAsync(Ct);
            var (stream, bytes) = (client.GetStream(), new byte[4096]);
            var text = Encoding.Latin1.GetString(bytes, 0, await stream.ReadAsync(bytes, Ct));
            // AuthenticationCleartextPassword: the client sends the password next.
            await stream.WriteAsync(new byte[] { (byte)'R', 0, 0, 0, 8, 0, 0, 0, 3 }, Ct);
            return text + Encoding.Latin1.GetString(bytes, 0, await stream.ReadAsync(bytes, Ct));
        }, Ct);
        Environment.SetEnvironmentVariable("PGPASSWORD", Canary);
        Environment.SetEnvironmentVariable("PGUSER", Canary + "-user");
        Environment.SetEnvironmentVariable("PGDATABASE", Canary + "-database");
        try
        {
            await Test($$"""{"host":"127.0.0.1","port":{{((IPEndPoint)server.LocalEndpoint).Port}},"sslmode":"disable"}""");
            var text = await received;
            Assert.Contains("user", text);
            Assert.DoesNotContain(Canary, text);
        }
        finally
        {
            Environment.SetEnvironmentVariable("PGPASSWORD", null);
            Environment.SetEnvironmentVariable("PGUSER", null);
            Environment.SetEnvironmentVariable("PGDATABASE", null);
        }
    }

    [Fact]
    public async Task A_secret_encrypted_with_another_key_is_unavailable()
    {
        await Send(HttpMethod.Post, Path,
            $$"""{"id":"{{Name}}","type":"postgres","config":{"host":"127.0.0.1","port":1,"user":"a","password":"p"} }""");
        using var other = new CatalogApp(Database, ("DATAXPIPE_SECRET_KEY", Convert.ToBase64String(new byte[32])));
        using var client = other.Client();

        var answer = await client.PostAsync($"{Path}{Name}/test", null, Ct);

        Assert.Equal("secret_unavailable", (await answer.Json()).GetProperty("status").GetString());
    }

    private async Task<string?> Test(string config, string type = "postgres")
    {
        var id = Guid.NewGuid().ToString();
        Assert.Equal(HttpStatusCode.Created,
            (await Send(HttpMethod.Post, Path, $$"""{"id":"{{id}}","type":"{{type}}","config":{{config}}}""")).StatusCode);
        var test = await (await Send(HttpMethod.Post, $"{Path}{id}/test")).Json();
        var (status, detail) = (test.GetProperty("status").GetString(), test.GetProperty("detail").GetString());
        // Every problem has a text. The reachable server has one too, because the user of the connection is a
        // superuser.
        Assert.True(detail is { Length: > 20 }, $"{status}: {detail}");
        Assert.DoesNotContain("169.254", detail, StringComparison.Ordinal);
        return status;
    }
}

public sealed class SecretKeyTests(SqliteTestDatabase sqlite, PostgresTestDatabase postgres) : IClassFixture<SqliteTestDatabase>,
    IClassFixture<PostgresTestDatabase>
{
    private static readonly object WithPassword = new
    {
        id = "a",
        type = "postgres",
        config = new { host = "h", user = "u", password = "p" }
    };

    [Fact]
    public async Task On_Postgres_without_a_key_a_secret_is_refused_and_a_reference_accepted()
    {
        using var app = new CatalogApp(postgres.Require());
        using var client = app.Client();

        var missing = await (await client.PostJson("/api/v1/connections/", WithPassword)).Problem(501, "secret_key_missing");
        Assert.Contains("set DATAXPIPE_SECRET_KEY", missing.GetProperty("detail").GetString(), StringComparison.Ordinal);
        var reference = new { id = "b", type = "postgres", config = new { host = "h", user = "u", password_secret = "vault/data/p" } };
        Assert.Equal(HttpStatusCode.Created, (await client.PostJson("/api/v1/connections/", reference)).StatusCode);
    }

    [Fact]
    public async Task On_SQLite_the_key_is_stored_beside_the_file_and_reused()
    {
        for (var start = 0; start < 2; start++)
        {
            using var app = new CatalogApp(sqlite);
            using var client = app.Client();
            Assert.DoesNotContain(app.Log.At(LogLevel.Warning), line => line.Contains("cannot decrypt", StringComparison.Ordinal));
            Assert.Equal(start == 0
                ? HttpStatusCode.Created : HttpStatusCode.OK, (await client.PostJson("/api/v1/connections/", WithPassword)).StatusCode);
        }

        File.Move(sqlite.Address + ".key", sqlite.Address + ".lost");
        using (var lost = new CatalogApp(sqlite))
        {
            using var client = lost.Client();
            Assert.Contains(lost.Log.At(LogLevel.Warning), line => line.Contains("cannot decrypt", StringComparison.Ordinal));
        }

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(sqlite.Address + ".key"));
        }
    }
}
