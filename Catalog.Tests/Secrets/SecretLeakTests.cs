using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Catalog.Tests.Support;
using Catalog.Tests.Warehouses;
using Microsoft.AspNetCore.Http;

namespace Catalog.Tests.Secrets;

public sealed class SecretLeaksOnSqlite(SqliteTestDatabase database) : SecretLeakTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class SecretLeaksOnPostgres(PostgresTestDatabase database) : SecretLeakTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>
/// Each kind of secret and each kind of failure: no secret is in an answer, in a log line of any level, or in a tag of
/// a metric.
/// </summary>
public abstract class SecretLeakTests : IAsyncLifetime
{
    private const string Secret = $"{SecretSearch.Word}-pa55word";
    private const string Connections = "/api/v1/connections/";

    private readonly SecretSearch _canaries = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("catalog-canary-").FullName;
    private readonly FakeVault _vault = new();
    private readonly FakeStripe _stripe = new();
    private readonly TestDatabase _database;
    private CatalogApp _app = null!;
    private HttpClient _client = null!;
    private int _requests;

    protected SecretLeakTests(TestDatabase database) => _database = database.Require();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _vault.InitializeAsync();
        await _stripe.InitializeAsync();
        _vault.Tokens[FakeVault.Token] = true;
        _vault.Secrets["secret/data/default/db"] = FakeVault.Version2(("password", Secret));
        Directory.CreateDirectory(Path.Combine(_folder, "default"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "default", "password"), Secret, Ct);
        _app = new(_database, _stripe.Settings(
            ("DATAXPIPE_SECRET_KEY", SecretSearch.SecretKey), ("DATAXPIPE_VAULT_ADDRESS", _vault.Endpoint),
            ("DATAXPIPE_VAULT_TOKEN", FakeVault.Token), ("DATAXPIPE_VAULT_TTL", "0"), ("DATAXPIPE_SECRET_ENV_PREFIX", "WAREHOUSE_"),
            ("WAREHOUSE_PASSWORD", Secret), ("DATAXPIPE_SECRET_FOLDER", $"{_folder}/{{organization}}"),
            ("Logging:LogLevel:Default", "Trace"), ("Logging:LogLevel:Microsoft.AspNetCore", "Trace"),
            ("Logging:LogLevel:Polly", "Trace"), ("Logging:LogLevel:Catalog.Api.Authentication.CallerAuthentication", "Trace")))
        {
            Canaries = _canaries,
        };
        _client = _app.Client();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await _vault.DisposeAsync();
        await _stripe.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task No_secret_is_in_an_answer_a_log_line_or_a_metric()
    {
        using var metrics = _canaries.Listen(meter => meter.Name != SecretSearchTests.PlantedMeter);
        using var noTls = new HostileServer(HostileServer.AfterRequest(HostileServer.Send([(byte)'N'])));
        using var wrongPassword = new HostileServer(RefusePostgresPassword);
        using var echo = new HostileServer(EchoHttpRequest);
        using var blocked = new HostileServer(HostileServer.Send([.. MySqlError($"{Secret} is blocked")]));

        await UseConnections(noTls.Port, wrongPassword.Port, echo.Port, blocked.Port);
        await SendInvalidConfigurations();
        await SendWrongKeys();
        await UseStripe();
        string[] paths =
        [
            Connections, Connections + "?limit=500", "/api/v1/organizations/me/audit-log", "/api/v1/checks/results/", "/api/v1/executions/",
            "/api/v1/pipelines/", "/api/v1/checks/", "/openapi/v1.json", "/ready", "/version",
        ];
        foreach (var path in paths)
        {
            Assert.Equal(200, (int)(await Send(HttpMethod.Get, path)).StatusCode);
        }

        metrics.RecordObservableInstruments();
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{_requests} requests, {_app.Log.Count} log lines, {_canaries.Texts} texts with {_canaries.Characters} characters, "
            + $"{_canaries.Hits.Count} hits");
        Assert.Empty(_canaries.Hits);
        Assert.True(_requests > 100, $"{_requests} requests");
        Assert.True(_app.Log.Count > _app.Log.At(Microsoft.Extensions.Logging.LogLevel.Information).Count() + 100, "Fine levels are off.");
    }

    // Tests each connection and executes a check on it.
    private async Task UseConnections(int noTls, int wrongPassword, int echo, int blocked)
    {
        string Dsn(string place, string mode = "disable") => $$"""{"dsn":"postgresql://ann:{{Secret}}@{{place}}/d?sslmode={{mode}}"}""";
        string Host(int port, string secret) => $$"""{"host":"127.0.0.1","port":{{port}},"user":"ann",{{secret}} }""";
        const string Password = $"\"password\":\"{Secret}\"";
        string Reference(string name, int port = 1) => Host(port, $$"""
            "password_secret":"{{name}}"
            """);

        await Use("postgres", Dsn("127.0.0.1:1"), "unreachable");
        await Use("postgres", Dsn("nothing.invalid"), "unreachable");
        await Use("postgres", Dsn("169.254.169.254"), "refused");
        await Use("postgres", Dsn($"127.0.0.1:{noTls}", "require"), "tls_failed");
        await Use("postgres", Dsn($"127.0.0.1:{wrongPassword}"), "authentication_failed");
        await Use("postgres", Host(1, Password), "unreachable");
        await Use("mysql", Host(1, Password), "unreachable");
        await Use("mysql", Host(blocked, Password), null);
        await Use("clickhouse", Host(1, Password), "unreachable");
        await Use("clickhouse", Host(echo, $"\"sslmode\":\"disable\",{Password}"), null);
        await Use("snowflake", $$"""{"account":"a","private_key":"{{Secret}}","token":"{{Secret}}","passphrase":"{{Secret}}"}""", "refused");
        await Use("bigquery", $$"""{"project":"p","credentials":"{{Secret}}","api_key":"{{Secret}}"}""", "refused");
        await Use("postgres", Reference("env:WAREHOUSE_PASSWORD"), "unreachable");
        await Use("postgres", Reference($"file:{_folder}/default/password"), "unreachable");
        await Use("postgres", Reference($"file:{_folder}/default/missing"), "secret_unavailable");
        await Use("postgres", Reference("env:DATAXPIPE_VAULT_TOKEN"), "secret_unavailable");
        await Use("postgres", Reference("db#password"), "unreachable");
        await Use("clickhouse", Reference("db#password", echo), null);
        await Use("postgres", Reference("db#missing"), "secret_unavailable");
        foreach (var (status, body) in new[] { (403, "{}"), (500, Secret), (200, $"<html>{Secret}</html>"), (200, $$"""{"data":["{{Secret}}"]}"""),
            (200, $$"""{"data":{"data":{"password":{"{{Secret}}":1} } } }"""), (200, $$"""{"data":tru{{Secret}} }"""), (302, Secret) })
        {
            _vault.Fault = async context =>
            {
                context.Response.StatusCode = status;
                context.Response.Headers.Location = status == 302 ? $"http://localhost:1/v1/{Secret}" : default;
                await context.Response.WriteAsync(body);
                return true;
            };
            await Use("postgres", Reference("db#password"), "secret_unavailable");
        }

        _vault.Tokens[FakeVault.Token] = false;
        await Use("postgres", Reference("db#password"), "secret_unavailable");
    }

    private async Task Use(string type, string config, string? status)
    {
        var id = $"c{_requests}";
        var posted = await Send(HttpMethod.Post, Connections, $$"""{"id":"{{id}}","type":"{{type}}","config":{{config}}}""");
        Assert.True(posted.StatusCode == HttpStatusCode.Created, $"{type}: {await posted.Content.ReadAsStringAsync(Ct)}");
        await Send(HttpMethod.Get, Connections + id);
        var tested = (await (await Send(HttpMethod.Post, $"{Connections}{id}/test")).Json()).GetProperty("status").GetString();
        string?[] possible = status is null ? ["unreachable", "authentication_failed", "failed", "refused", "tls_failed"] : [status];
        Assert.True(possible.Contains(tested), $"{tested} for {type} {config}");
        Assert.Equal(201, (int)(await Send(HttpMethod.Post, "/api/v1/checks/",
            $$"""{"id":"{{id}}","kind":"row_count","dataset":"sales","severity":"warn","connection_id":"{{id}}","params":{"min":1} }""")).StatusCode);
        var executed = await Send(HttpMethod.Post, $"/api/v1/checks/{id}/execute", "{}", ("Prefer", "wait=30"));
        Assert.Equal(200, (int)executed.StatusCode);
        Assert.Equal("error", (await executed.Json()).GetProperty("checks")[0].GetProperty("status").GetString());
        await Send(HttpMethod.Get, $"/api/v1/checks/{id}/history");
        await Send(HttpMethod.Put, Connections + id, $$"""{"type":"{{type}}","config":{{config}}}""");
    }

    private async Task SendInvalidConfigurations()
    {
        foreach (var config in new[]
        {
            $$"""{"dsn":"{{Secret}}"}""",
            $$"""{"dsn":"postgresql://ann:{{Secret}}@127.0.0.1:port/shop"}""",
            $$"""{"dsn":"postgresql://ann:x/{{Secret}}@127.0.0.1/shop"}""",
            $$"""{"dsn":"postgresql://127.0.0.1/shop?{{Secret}}=1"}""",
            $$"""{"dsn":"postgresql://ann:{{Secret}}%zz@127.0.0.1/shop"}""",
            $$"""{"dsn":"postgresql://ann:{{Secret}}@a,b/shop"}""",
            $$"""{"dsn":"mysql://ann:{{Secret}}@h/shop"}""",
            $$"""{"host":"u:{{Secret}}@h"}""",
            $$"""{"host":"h; password={{Secret}}"}""",
            $$"""{"host":"h","port":"{{Secret}}"}""",
            $$"""{"host":"h","sslmode":"{{Secret}}"}""",
            $$"""{"host":"h","password_secret":"{{Secret}}"}""",
            $$"""{"host":"h","password":"{{Secret}}","password_secret":"a/b"}""",
            $$"""{"host":"h","password":"{{Secret}}","password":"{{Secret}}"}""",
            $$"""{"host":"h","password":["{{Secret}}"]}""",
            $$"""{"host":"h","password":{{Secret}}}""",
            $$"""{"host":"h","password":tru{{Secret}}}""",
            $$"""{"host":"h","password":-{{Secret}}}""",
            $$"""{"host":"h","password":"\{{Secret}}"}""",
            $$"""{"host":"h","password":"{{Secret}}""",
            $$"""{"host":"h","password":"{{Secret}}"} {{Secret}}""",
            $"\"{Secret}\"",
        })
        {
            foreach (var (method, path) in new[] { (HttpMethod.Post, Connections), (HttpMethod.Put, Connections + "c0") })
            {
                var answer = await Send(method, path, $$"""{"id":"i{{_requests}}","type":"postgres","config":{{config}}}""");
                Assert.True((int)answer.StatusCode is 400 or 422, $"{answer.StatusCode} for {config}");
            }
        }
    }

    private async Task SendWrongKeys()
    {
        using var owner = await _app.Organization("near-miss");
        var real = owner.DefaultRequestHeaders.GetValues("X-API-KEY").Single();
        using var anonymous = _app.Anonymous();
        const string Key = CatalogApp.Key;
        foreach (var key in new[] { Key[..^1], Key + "x", Key.ToUpperInvariant(), $"{Key},{Key}", real[..^1], real.ToLowerInvariant(), real + "0",
            real[..20] + (real[20] == 'a' ? 'b' : 'a') + real[21..], FakeStripe.Key,
            $"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.{SecretSearch.Word}" })
        {
            foreach (var (name, value) in new[] { ("X-API-KEY", key), ("Authorization", $"Bearer {key}"), ("Authorization", key),
                ("Authorization", $"Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes($"a:{key}"))}") })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/pipelines/");
                request.Headers.TryAddWithoutValidation(name, value);
                _requests++;
                Assert.Equal(401, (int)(await anonymous.SendAsync(request, Ct)).StatusCode);
            }
        }
    }

    private async Task UseStripe()
    {
        const string Event = $$"""{"id":"evt_1","object":"event","type":"x","data":{"object":{"client_secret":"{{SecretSearch.Word}}"} } }""";
        foreach (var signature in new[] { "", FakeStripe.WebhookSecret, $"t=1,v1={FakeStripe.WebhookSecret}",
            StripeSigner.Header(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), Encoding.UTF8.GetBytes(Event), "whsec_other") })
        {
            var answer = await Send(HttpMethod.Post, "/webhooks/stripe", Event, ("Stripe-Signature", signature));
            Assert.Equal(400, (int)answer.StatusCode);
        }

        using var buyer = await _app.Organization("buyer", "free");
        foreach (var fault in new[] { StripeFault.Unauthorized, StripeFault.Redirect, StripeFault.Html })
        {
            _stripe.FaultFor = (_, _, _) => fault;
            _requests++;
            Assert.True((int)(await buyer.PostJson("/api/v1/billing/checkout", new { plan = "team" })).StatusCode is 502 or 503);
        }
    }

    private async Task<HttpResponseMessage> Send(HttpMethod method, string path, string? json = null,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = json is null ? null : new StringContent(json, MediaTypeHeaderValue.Parse("application/json"));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        _requests++;
        return await _client.SendAsync(request, Ct);
    }

    // Asks for the password in clear text and repeats it in the error.
    private static async Task RefusePostgresPassword(Stream stream, CancellationToken ct)
    {
        var bytes = new byte[4096];
        _ = await stream.ReadAsync(bytes, ct);
        await stream.WriteAsync(HostileServer.Message('R', HostileServer.Int(3)), ct);
        var password = bytes[..await stream.ReadAsync(bytes, ct)];
        Assert.True(password.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Secret)) > 0);
        await stream.WriteAsync(HostileServer.Message('E',
            [.. "SFATAL\0VFATAL\0C28P01\0M"u8, .. password[5..^1], 0, .. "D"u8, .. password[5..^1], 0, 0]), ct);
    }

    private static async Task EchoHttpRequest(Stream stream, CancellationToken ct)
    {
        var bytes = new byte[65536];
        var request = bytes[..await stream.ReadAsync(bytes, ct)];
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 403 {Secret}\r\nX-ClickHouse-Exception: {Secret}\r\n"
            + $"Content-Length: {request.Length}\r\nConnection: close\r\n\r\n"), ct);
        await stream.WriteAsync(request, ct);
    }

    private static byte[] MySqlError(string message) =>
        [(byte)(message.Length + 3), 0, 0, 0, 0xff, 0x69, 0x04, .. Encoding.ASCII.GetBytes(message)];
}
