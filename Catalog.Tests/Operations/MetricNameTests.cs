using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Api.Background;
using Catalog.Api.Executions;
using Catalog.Data.Checks;
using Catalog.Tests.Executions;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Operations;

public sealed class MetricNamesOnSqlite(SqliteTestDatabase database) : MetricNameTests(database), IClassFixture<SqliteTestDatabase>
{
    // The driver of SQLite has no pool and no metrics.
    protected override bool HasDriverMetrics => false;
}

public sealed class MetricNamesOnPostgres(PostgresTestDatabase database) : MetricNameTests(database), IClassFixture<PostgresTestDatabase>
{
    protected override bool HasDriverMetrics => true;
}

/// <summary>
/// The dashboard, the rules and their documentation name only metrics that a running service or a backup exports, and
/// the documentation names all of the Catalog's own.
/// </summary>
public abstract partial class MetricNameTests(TestDatabase database) : IDisposable
{
    private readonly TestDatabase _database = database.Require();
    private readonly string _folder = Directory.CreateTempSubdirectory("catalog-metrics-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract bool HasDriverMetrics { get; }

    [Fact]
    public async Task Every_metric_of_the_dashboard_the_rules_and_the_documentation_is_exported()
    {
        var exported = await Exported();
        exported.UnionWith(await OfBackup());

        var documented = Documented().Where(IsExpected).ToHashSet(StringComparer.Ordinal);
        foreach (var expressions in new[] { Dashboard(), Rules() })
        {
            var named = Names(expressions).Where(IsExpected).ToList();
            Assert.True(named.Count > 10);
            Assert.Empty(named.Except(exported));
            Assert.Empty(named.Select(Metric).Except(documented));
        }

        Assert.Empty(exported.Where(name => name.StartsWith("catalog_", StringComparison.Ordinal)).Select(Metric).Except(documented));
        Assert.Empty(documented.Except(exported.Select(Metric)));

        bool IsExpected(string name) => HasDriverMetrics || !name.StartsWith("db_", StringComparison.Ordinal);

        // A histogram has three samples, such as NAME_bucket. The documentation has its NAME only.
        string Metric(string sample) => HistogramSamples().Replace(sample, "") is var metric && exported.Contains(metric + "_bucket")
            ? metric : sample;
    }

    [Fact]
    public void The_dashboard_has_a_data_source_variable_and_panels_that_do_not_overlap()
    {
        using var dashboard = JsonDocument.Parse(Read("dashboard.json"));
        var root = dashboard.RootElement;
        var panels = root.GetProperty("panels").EnumerateArray().ToList();

        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.Contains(root.GetProperty("templating").GetProperty("list").EnumerateArray(),
            variable => variable.GetProperty("type").GetString() == "datasource");
        Assert.All(panels.Where(panel => panel.TryGetProperty("datasource", out _)),
            panel => Assert.Equal("${datasource}", panel.GetProperty("datasource").GetProperty("uid").GetString()));
        var cells = panels.Select(panel => panel.GetProperty("gridPos")).SelectMany(place =>
            from x in Enumerable.Range(place.GetProperty("x").GetInt32(), place.GetProperty("w").GetInt32())
            from y in Enumerable.Range(place.GetProperty("y").GetInt32(), place.GetProperty("h").GetInt32())
            select (x, y)).ToList();
        Assert.All(cells, cell => Assert.InRange(cell.x, 0, 23));
        Assert.Equal(cells.Count, cells.Distinct().Count());
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    // Makes a service do everything that has a metric, and returns the names of all samples of the service.
    private async Task<HashSet<string>> Exported()
    {
        using var app = new CatalogApp(_database, ("DATAXPIPE_METRICS", "true"), ("DATAXPIPE_PG_POOL_MAX", "1"))
        {
            Replace = services => services.AddRecurring<FailingWork>().AddSingleton<RunChecks>(new ScriptedChecks().Run),
        };
        using var client = app.Client();
        using var stranger = app.With("wr0ng-key");
        await stranger.GetAsync("/api/v1/pipelines/", Ct);
        var check = new { id = "c", kind = "pass", connection_id = "w" };
        await client.PostJson("/api/v1/pipelines/", new { name = "p", checks = new[] { check } });
        await client.PostJson("/api/v1/runs/", new { id = "r", pipeline_id = "p", status = "running", started_at = "2026-01-01" });
        using var execute = new HttpRequestMessage(HttpMethod.Post, "/api/v1/pipelines/p/checks/execute");
        execute.Headers.Add("Prefer", "wait=10");
        Assert.Equal(200, (int)(await client.SendAsync(execute, Ct)).StatusCode);
        // More requests than connections, so that some wait.
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.GetAsync("/api/v1/pipelines/", Ct)));
        await app.Services.GetRequiredService<ResultIngest>().StopAsync(Ct);
        Assert.Equal(503, (int)(await client.PostJson("/api/v1/checks/results/",
            new { check_id = "c", pipeline_id = "p", status = "pass" })).StatusCode);
        using var outage = new CatalogApp(_database, ("DATAXPIPE_METRICS", "true"), ("DATAXPIPE_DB", "postgresql://ada@127.0.0.1:1/app"));
        using var unserved = outage.Client();
        Assert.Equal(503, (int)(await unserved.GetAsync("/api/v1/pipelines/", Ct)).StatusCode);
        // Sends an outgoing request, because the service sends none in this test. All HTTP clients of a process share
        // the meter.
        using (var other = new HttpClient())
        {
            await other.GetAsync(new Uri(client.BaseAddress!, "/health"), Ct);
        }

        var text = "";
        for (var tries = 0; tries < 100 && !text.Contains("catalog_background_failures", StringComparison.Ordinal); tries++)
        {
            await Task.Delay(100, Ct);
            text = await client.GetStringAsync("/metrics", Ct) + "\n" + await unserved.GetStringAsync("/metrics", Ct);
        }

        return [.. Samples().Matches(text).Select(match => match.Groups["name"].Value)];
    }

    private async Task<IEnumerable<string>> OfBackup()
    {
        var file = Path.Combine(_folder, "catalog.prom");
        var result = await MigratorConsole.Run(_database.Address, "backup", "--output", _folder, "--metrics", file);
        Assert.True(result.Exit == 0, result.ToString());
        return Samples().Matches(await File.ReadAllTextAsync(file, Ct)).Select(match => match.Groups["name"].Value);
    }

    private static IEnumerable<string> Dashboard() =>
        Expressions().Matches(Read("dashboard.json"))
            .Select(match => JsonSerializer.Deserialize<string>($"\"{match.Groups["text"].Value}\"")!);

    private static IEnumerable<string> Rules() => [RuleNames().Replace(Read("rules.yml"), "")];

    // The metrics in PromQL. Labels are in braces and after `by`.
    private static HashSet<string> Names(IEnumerable<string> expressions) =>
        [.. expressions.SelectMany(text => Metrics().Matches(Labels().Replace(text, "")).Select(match => match.Value))];

    private static HashSet<string> Documented() =>
        [.. DocumentedMetrics().Matches(File.ReadAllText(Path.Combine(ConventionTests.Root, "docs", "operations", "observe.md")))
            .Select(match => match.Groups["name"].Value)];

    private static string Read(string file) => File.ReadAllText(Path.Combine(ConventionTests.Root, "deploy", "observe", file));

    [GeneratedRegex(@"^(?<name>[a-z_]+)\{", RegexOptions.Multiline)]
    private static partial Regex Samples();

    [GeneratedRegex("\"expr\": \"(?<text>(\\\\.|[^\"\\\\])*)\"")]
    private static partial Regex Expressions();

    [GeneratedRegex(@"#.*|- (name|alert|record): .*|summary: .*|catalog:\w+:\w+|kube_\w+\{[^}]*\}")]
    private static partial Regex RuleNames();

    [GeneratedRegex(@"\{[^}]*\}|\bby \([^)]*\)")]
    private static partial Regex Labels();

    [GeneratedRegex(@"\b(catalog|http|db|dotnet)_[a-z_]+\b")]
    private static partial Regex Metrics();

    [GeneratedRegex(@"^\| `(?<name>(catalog|http|db|dotnet)_[a-z_]+)`", RegexOptions.Multiline)]
    private static partial Regex DocumentedMetrics();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramSamples();

    private sealed class FailingWork : IRecurringWork
    {
        public string Name => "fail";

        public TimeSpan Pause => TimeSpan.FromMilliseconds(50);

        public Task Run(CancellationToken ct) => throw new InvalidOperationException("This work always fails.");
    }
}
