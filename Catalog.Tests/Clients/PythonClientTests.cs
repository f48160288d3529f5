using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Clients;

/// <summary>The Python client and a running service.</summary>
public sealed class PythonClientTests(ClientService service) : IClassFixture<ClientService>, IDisposable
{
    private readonly PythonJob _job = new() { Url = service.Url, IsPatient = true };
    private readonly string _pipeline = $"daily-{Guid.NewGuid():N}";

    public void Dispose() => _job.Dispose();

    [Fact]
    public async Task A_run_has_its_stages_numbers_and_results()
    {
        await _job.Succeed($$"""
            catalog.register({"name": "{{_pipeline}}", "owner": "sales"}, strict=True)
            with catalog.run("{{_pipeline}}", "{{_pipeline}}-1", trigger="cron", strict=True) as run:
                with run.stage("load") as stage:
                    stage.records_processed = 4120
                run.check("rows", status="pass", observed_value=4120)
                run.checks([{"check_id": f"c{i}", "status": "warn", "severity": "warn"} for i in range(1001)])
                run.records_processed = 7
            """);

        var run = await service.Client.GetJson($"/api/v1/runs/{_pipeline}-1");
        Assert.Equal(("completed", "cron", 7), (run.Text("status"), run.Text("trigger"), run.GetProperty("records_processed").GetInt32()));
        var checks = run.GetProperty("checks");
        Assert.Equal((1, 1001), (checks.GetProperty("pass").GetInt32(), checks.GetProperty("warn").GetInt32()));
        var stage = run.GetProperty("stages")[0];
        Assert.Equal(("load", "completed", 4120),
            (stage.Text("stage_name"), stage.Text("status"), stage.GetProperty("records_processed").GetInt32()));
        Assert.True(run.GetProperty("duration_seconds").GetDouble() > 0);
        Assert.Empty(_job.Spooled);
        Assert.Empty(_job.Rejected);
    }

    [Theory]
    [InlineData("raise ValueError('no rows')", 1, "failed", "ValueError: no rows")]
    [InlineData("raise KeyboardInterrupt", 130, "cancelled", "KeyboardInterrupt: ")]
    [InlineData("sys.exit(3)", 3, "failed", "SystemExit: 3")]
    [InlineData("sys.exit(0)", 0, "completed", null)]
    [InlineData("class Bad(Exception):\n            __str__ = None\n        raise Bad", 1, "failed", "Bad")]
    public async Task A_job_that_ends_early_ends_its_run_and_keeps_its_own_exit(string end, int exit, string status, string? message)
    {
        await Register();

        var result = await _job.Run($"""
            with catalog.run("{_pipeline}", "{_pipeline}-1") as run:
                with run.stage("load"):
                    {end}
            """);

        // A process that Ctrl+C ends has exit code 130, or ends by the signal.
        Assert.True(result.Exit == exit, result.ToString());
        var run = await service.Client.GetJson($"/api/v1/runs/{_pipeline}-1");
        Assert.Equal((status, message), (run.Text("status"), run.Text("error_message")));
        Assert.Equal((status, message), (run.GetProperty("stages")[0].Text("status"), run.GetProperty("stages")[0].Text("error_message")));
    }

    [Fact]
    public async Task A_forked_child_reports_results_but_does_not_end_the_run()
    {
        await Register();

        var result = await _job.Succeed($"""
            import os
            with catalog.run("{_pipeline}", "{_pipeline}-1") as run:
                child = os.fork()
                if child == 0:
                    run.check("from_child", status="pass")
                else:
                    os.waitpid(child, 0)
                    run.check("from_parent", status="pass")
            """);

        var events = await service.Client.GetJson($"/api/v1/runs/{_pipeline}-1/events");
        var run = await service.Client.GetJson($"/api/v1/runs/{_pipeline}-1");
        Assert.Equal((2, 2), (events.GetProperty("items").GetArrayLength(), run.GetProperty("checks").GetProperty("pass").GetInt32()));
    }

    [Fact]
    public async Task A_wrong_key_never_reaches_a_log_and_the_events_can_be_sent_later()
    {
        await Register();
        foreach (var key in (string[])[$"wrong-{SecretSearch.Word}", $"wrong {SecretSearch.Word}\n"])
        {
            _job.Key = key;
            var result = await _job.Succeed($"""
                logging.getLogger().setLevel("DEBUG")
                catalog.PAUSE = 0
                with catalog.run("{_pipeline}", "{_pipeline}-{key.Length}"):
                    pass
                """);
            Assert.Contains(key.Contains(' ') ? "a character that no key has" : "401 unauthorized", result.Errors);
        }

        Assert.Equal((2, 2), (_job.Spooled.Length, _job.Rejected.Length));
        _job.Key = CatalogApp.Key;
        await _job.Succeed("sys.exit(catalog.resend(10))");

        var runs = await service.Client.GetJson($"/api/v1/runs/?pipeline_id={_pipeline}");
        Assert.Equal(["completed", "completed"], runs.GetProperty("items").EnumerateArray().Select(run => run.Text("status")));
        Assert.Empty(_job.Spooled);
        Assert.Empty(_job.Rejected);
    }

    [Fact]
    public async Task Hostile_names_and_values_are_stored_or_rejected_with_a_reason()
    {
        await Register();

        await _job.Succeed($$"""
            import datetime, decimal
            names = ["a/b", "größe-😀", "..", "%2F", "a b\tc", "'; drop table runs; --", "x" * 256, "x" * 300, "", "\ud800", "a\0b", 7]
            with catalog.run("{{_pipeline}}", "{{_pipeline}}/ö %2f") as run:
                pass
            with catalog.run("{{_pipeline}}", "{{_pipeline}}-ü/1") as run:
                for name in names:
                    with run.stage(name):
                        run.check(name, status="pass", observed_value=float("inf"), expected=decimal.Decimal("1.5"),
                            metadata={"at": datetime.datetime(2026, 1, 1), 5: {1, 2}, "none": None, "nul": "\0"})
                run.check("deep", status="pass", metadata={"a": ["x" * 100000]})
                loop = {}
                loop["loop"] = loop
                run.check("loop", status="pass", metadata=loop)
                run.check("huge", status="pass", observed_value=10 ** 5000)
            """);

        var run = await service.Client.GetJson($"/api/v1/runs/{Uri.EscapeDataString(_pipeline + "-ü/1")}");
        var stages = run.GetProperty("stages").EnumerateArray().Select(stage => stage.Text("stage_name")).ToList();
        Assert.Equal("completed", run.Text("status"));
        Assert.Superset(
            new HashSet<string?>(["a/b", "größe-😀", "'; drop table runs; --", new('x', 256), "?", "a\ufffdb"]), stages.ToHashSet());
        Assert.All(_job.Rejected, line => Assert.Matches("^\\{\"reason\": \"(4|invalid)", line));
        Assert.Contains(_job.Rejected, line => line.Contains(new string('x', 300), StringComparison.Ordinal));
        Assert.Empty(_job.Spooled);
    }

    [Fact]
    public async Task A_damaged_line_of_the_spool_stops_nothing()
    {
        await Register();
        await _job.Succeed($"""
            import os
            os.environ["CATALOG_URL"] = "http://127.0.0.1:9"
            catalog.event("{_pipeline}", "{_pipeline}-1", "running")
            """);
        await File.AppendAllTextAsync(_job.Spool, "not json\n[1]\n{\"id\": \"half", TestContext.Current.CancellationToken);

        await _job.Succeed($"""
            catalog.event("{_pipeline}", "{_pipeline}-1", "completed")
            """);

        var events = await service.Client.GetJson($"/api/v1/runs/{_pipeline}-1/events");
        Assert.Equal(["completed", "running"],
            events.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("event").Text("status")));
        Assert.Equal((0, 3), (_job.Spooled.Length, _job.Rejected.Length));
    }

    private Task<HttpResponseMessage> Register() => service.Client.PostJson("/api/v1/pipelines/", new { name = _pipeline });
}

/// <summary>The service as a process, on SQLite, shared by the tests of one class.</summary>
public sealed class ClientService : IAsyncLifetime
{
    private readonly SqliteTestDatabase _database = new();
    private ServiceProcess? _process;
    private HttpClient? _client;

    public string Url { get; private set; } = "";

    public HttpClient Client => _client!;

    public async ValueTask InitializeAsync()
    {
        await _database.InitializeAsync();
        _process = new(_database.ServiceAddress);
        _client = await _process.Client();
        _client.DefaultRequestHeaders.Add("X-API-KEY", CatalogApp.Key);
        Url = _client.BaseAddress!.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        _process?.Dispose();
        await _database.DisposeAsync();
    }
}

internal static class JsonText
{
    public static string? Text(this JsonElement json, string name) => json.GetProperty(name).GetString();
}
