using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Api.Operations;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Operations;

/// <summary>The content and the amount of the log that operators read.</summary>
public sealed class LogTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>, IDisposable
{
    private const string UnreachableDatabase = "postgresql://ada:c4nary@127.0.0.1:1/app";
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-log-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wrong_key_is_logged_once_and_then_counted()
    {
        using var app = new CatalogApp(database);
        using var client = app.Anonymous();
        client.DefaultRequestHeaders.Add("X-API-KEY", "wr0ng-key");
        var before = app.Log.At(LogLevel.Information).Count();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(401, (int)(await client.GetAsync("/api/v1/pipelines/", Ct)).StatusCode);
        }

        var line = Assert.Single(app.Log.At(LogLevel.Information).Skip(before));
        Assert.Contains("Invalid key or token from 127.0.0.1", line);
        Assert.DoesNotContain("wr0ng", line);
        var warnings = app.Services.GetRequiredService<RepeatedWarnings>();
        using var running = new CancellationTokenSource();
        await warnings.Run(running.Token);
        Assert.Single(app.Log.At(LogLevel.Information).Skip(before));
        await warnings.Run(running.Token);
        Assert.Contains("4 more requests", app.Log.At(LogLevel.Information).Last());
        await warnings.Run(running.Token);
        Assert.Equal(2, app.Log.At(LogLevel.Information).Skip(before).Count());
    }

    [Fact]
    public async Task An_outage_is_logged_once_with_its_address_and_then_counted()
    {
        using var app = new CatalogApp(database, ("DATAXPIPE_DB", UnreachableDatabase));
        using var client = app.Client();
        for (var i = 0; i < 7; i++)
        {
            Assert.Equal(503, (int)(await client.GetAsync("/api/v1/pipelines/", Ct)).StatusCode);
        }

        await app.Services.GetRequiredService<RepeatedWarnings>().Run(CancellationToken.None);

        var warnings = app.Log.At(LogLevel.Warning).Where(line => line.Contains("cannot serve", StringComparison.Ordinal)
            || line.Contains("could not serve", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, warnings.Count);
        Assert.Contains("user ada, database app: nothing answers on 127.0.0.1:1", warnings[0]);
        Assert.Contains("could not serve 6 more requests", warnings[1]);
    }

    [Theory]
    [InlineData(UnreachableDatabase, "DATAXPIPE_DB, user ada, database app: nothing answers on 127.0.0.1:1")]
    [InlineData("postgresql://ada:c4nary@nowhere.invalid:6432/app", "the host name of nowhere.invalid:6432 cannot be resolved")]
    public async Task The_log_states_why_and_where_the_database_is_unreachable(string address, string expected)
    {
        using var app = new CatalogApp(database, ("DATAXPIPE_DB", address));
        using var client = app.Anonymous();

        var body = await (await client.GetAsync("/ready", Ct)).Content.ReadAsStringAsync(Ct);

        Assert.Contains("cannot be reached", body);
        Assert.DoesNotContain("127.0.0.1:1", body);
        Assert.DoesNotContain("nowhere", body);
        Assert.DoesNotContain("user ada", body);
        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.StartsWith("Not ready: ", StringComparison.Ordinal)
            && line.Contains(expected, StringComparison.Ordinal));
        Assert.DoesNotContain(app.Log.At(LogLevel.Trace), line => line.Contains("c4nary", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_server_that_never_answers_is_reported_as_timed_out_with_its_address()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var place = $"127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}";
        var address = $"postgresql://ada:c4nary@{place}/app";
        var expected = $"DATAXPIPE_DB, user ada, database app: {place} did not answer in time.";
        var console = MigratorConsole.Run(address, "current", "--json");
        using var app = new CatalogApp(database, ("DATAXPIPE_DB", address));
        using var client = app.Anonymous();

        Assert.Contains(app.Log.At(LogLevel.Warning), line => line.StartsWith("Not ready: " + expected, StringComparison.Ordinal));
        var body = await (await client.GetAsync("/ready", Ct)).Content.ReadAsStringAsync(Ct);
        Assert.Contains("did not answer in time", body);
        Assert.DoesNotContain(place, body);
        Assert.DoesNotContain(app.Log.At(LogLevel.Trace), line => line.Contains("c4nary", StringComparison.Ordinal));

        var result = await console;
        Assert.Equal(7, result.Exit);
        Assert.Equal("timed_out", result.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.StartsWith($"catalog-migrations: {expected}", result.Errors);
        Assert.DoesNotContain("c4nary", result.ToString());
    }

    [Fact]
    public async Task An_unknown_setting_is_logged_with_the_nearest_name_and_without_its_value()
    {
        (string Name, string Value)[] settings =
        [
            ("DATAXPIPE_PG_POOL_MAXX", "c4nary"), ("dataxpipe_secret_kye", "c4nary"), ("DATAXPIPE__DB", "c4nary"),
            // Names are case-insensitive, and Kubernetes sets these variables for a service named dataxpipe.
            ("dataxpipe_access_log", "true"), ("DATAXPIPE_SERVICE_HOST", "10.0.0.1"), ("DATAXPIPE_SERVICE_PORT", "80"),
            ("DATAXPIPE_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ];
        string[] expected =
        [
            "The setting DATAXPIPE_PG_POOL_MAXX is unknown and ignored; the nearest known name is DATAXPIPE_PG_POOL_MAX.",
            "The setting DATAXPIPE__DB is unknown and ignored; the nearest known name is DATAXPIPE_DB.",
            "The setting dataxpipe_secret_kye is unknown and ignored; the nearest known name is DATAXPIPE_SECRET_KEY.",
        ];

        var lines = await Lines(settings);
        var console = await MigratorConsole.Run(database.Address, settings, "current", "--json");

        Assert.DoesNotContain(lines, line => line.Contains("c4nary", StringComparison.Ordinal));
        Assert.Equal(expected, lines.Where(line => line.Contains("is unknown and ignored", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf("The setting", StringComparison.Ordinal)..]).Order(StringComparer.Ordinal));
        Assert.Equal(0, console.Exit);
        Assert.Equal(expected.Select(line => $"catalog-migrations: {line}"), console.Errors.TrimEnd().Split('\n')
            .Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Each_request_is_one_line_if_the_access_log_is_on()
    {
        using var app = new CatalogApp(database, ("DATAXPIPE_ACCESS_LOG", "true"));
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("X-Request-Id", "request-17");

        await client.GetAsync("/pipelines/?q=s3cret", Ct);
        await client.GetAsync("/api/v1/runs/a%0Ab", Ct);

        var lines = app.Log.At(LogLevel.Information).Where(line => line.StartsWith("GET ", StringComparison.Ordinal)).ToList();
        Assert.Matches(@"^GET /pipelines/ 200 \d+\.\d ms 127\.0\.0\.1 platform-key request-17$", lines[0]);
        Assert.Matches(@"^GET /api/v1/runs/a%0Ab 4\d\d ", lines[1]);
        Assert.DoesNotContain(lines, line => line.Contains("s3cret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_log_entry_is_one_line_with_the_time()
    {
        var lines = await Lines();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warn): ", line));
    }

    [Fact]
    public async Task A_log_entry_is_one_JSON_document_if_configured()
    {
        var lines = await Lines(("DATAXPIPE_LOG_FORMAT", "json"));
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z", JsonDocument.Parse(line).RootElement.GetProperty("timestamp")
                .GetString()!));
    }

    // Starts the service without a reachable database and returns the lines of its log.
    private async Task<List<string>> Lines(params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Health).Assembly.Location])
        {
            WorkingDirectory = _directory,
            RedirectStandardError = true,
            RedirectStandardOutput = true
        };
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["DATAXPIPE_DB"] = UnreachableDatabase + "?tcp_user_timeout=3";
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(Ct) is { } line)
        {
            lines.Add(line);
            if (line.Contains("Application started", StringComparison.Ordinal))
            {
                process.Kill();
            }
        }

        SecretSearch.Suite.Require("The log of a process", string.Join('\n', lines));
        Assert.Contains(lines, line => line.Contains("ignores: tcp_user_timeout", StringComparison.Ordinal));
        return lines;
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
