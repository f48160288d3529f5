using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Browser;

/// <summary>
/// Example data with everything that pages must cope with: 25 runs of 900 stages, a pipeline with 30 runs, failing and
/// flapping checks, a lineage of 300 datasets, a dataset with 250 neighbours, and names with markup.
/// </summary>
/// <param name="now">The time of the newest data.</param>
public sealed class ExampleData(DateTimeOffset now)
{
    public const string Daily = "orders_daily";
    public const string Wide = "wide_ingest";
    public const string WideRun = "wide_ingest-24";
    public const string Running = "orders_live-1";
    public const string Failed = "orders_daily-29";

    /// <summary>A run that started 40 days ago and failed 20 minutes ago.</summary>
    public const string Long = "orders_long-1";

    /// <summary>A run that started 40 days ago and still runs.</summary>
    public const string Endless = "orders_endless-1";

    public const string Hostile = "<img src=x onerror=alert(1)>\"'&";
    public const string Hub = "hub.customers";
    public const string Chain = "layer_5.table_12";
    public const string Measured = "amount_mean";
    public const string Flapping = "orders_fresh";
    public const string Connection = "warehouse";
    public const int WideStages = 900;
    public const int WideRuns = 25;

    private readonly DateTimeOffset _now = new(now.UtcDateTime.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerSecond)), TimeSpan.Zero);

    /// <summary>The id of an API key.</summary>
    public string Key { get; private set; } = "";

    /// <summary>The id of an execution of checks.</summary>
    public string Execution { get; private set; } = "";

    /// <summary>Posts everything except the data of <see cref="PostPipelines"/>.</summary>
    public async Task Post(HttpClient client)
    {
        await PostLineage(client);
        await PostRuns(client);
        await PostWideRuns(client);
        await PostResults(client);
        await Send(client, "connections/", new
        {
            id = Connection,
            type = "postgres",
            config = new { host = "127.0.0.1", port = 1, user = "catalog", dbname = "mart" },
        });
        var key = await client.PostJson("/api/v1/organizations/me/api-keys", new { name = "airflow", scopes = new[] { "read", "write" } });
        Key = (await key.Json()).GetProperty("id").GetString()!;
        var execution = await client.PostJson($"/api/v1/checks/{Measured}/execute?pipeline_id={Daily}", new { });
        Execution = (await execution.Json()).GetProperty("id").GetString()!;
    }

    /// <summary>Registers the pipelines and the checks.</summary>
    public static async Task PostPipelines(HttpClient client)
    {
        foreach (var version in new[] { "1", "2" })
        {
            await Send(client, "pipelines/", new
            {
                name = Daily,
                version,
                owner = "sales-data",
                description = $"Loads the orders of the shop into the warehouse, version {version}.",
                environment = "production",
                schedule = "0 6 * * *",
                tags = new[] { "orders", "finance" },
                sources = new[] { new { id = "shop", type = "postgres", connection_ref = "shop-db", @object = "public.orders" } },
                targets = new[] { new { id = "mart", type = "postgres", connection_ref = Connection, @object = "mart.orders" } },
                checks = new[] { new { id = "orders_not_empty", sql = "select count(*) from mart.orders", severity = "error" } },
                lineage = new
                {
                    edges = version == "1"
                        ? new[] { new { from = "public.orders", to = "mart.orders" } }
                        : [new { from = "public.orders", to = "mart.orders" }, new { from = "mart.orders", to = Hub }],
                },
            });
        }

        await Send(client, "pipelines/", new { name = "late_report", version = "1", owner = "reporting", schedule = "0 * * * *" });
        await Send(client, "pipelines/", new { name = "orders_live", version = "1", owner = "sales-data", tags = new[] { "orders" } });
        await Send(client, "pipelines/", new { name = Wide, version = "1", owner = "platform" });
        await Send(client, "pipelines/", new
        {
            name = Hostile,
            version = Hostile,
            owner = Hostile,
            description = Hostile,
            tags = new[] { Hostile, new string('w', 200) },
            edges = new[] { new { from = Hostile, to = Hub } },
        });
        await Send(client, "checks/", new
        {
            id = Measured,
            pipeline_id = Daily,
            dataset = "mart.orders",
            connection_id = Connection,
            kind = "avg",
            column = "amount",
            warn = new { above = 60 },
            fail = new { above = 80 },
            schedule = "0 7 * * *",
        });
        await Send(client, "checks/", new { id = "standalone_total", dataset = Hub, sql = "select sum(total) from hub.customers" });
        await Send(client, "pipelines/", Enumerable.Range(0, 60).Select(number => new
        {
            name = $"batch_{number:00}",
            version = "1",
            owner = $"team-{number % 5}",
            environment = number % 2 == 0 ? "production" : "staging",
            tags = new[] { $"tag-{number % 7}" },
        }));
    }

    // Twelve layers of 25 datasets, each with two consumers in the next layer, and one dataset with 250 consumers.
    private static async Task PostLineage(HttpClient client)
    {
        var layers = from layer in Enumerable.Range(0, 11)
                     from table in Enumerable.Range(0, 25)
                     from step in new[] { 0, 7 }
                     select new { @from = $"layer_{layer}.table_{table:00}", to = $"layer_{layer + 1}.table_{(table + step) % 25:00}" };
        await Send(client, "pipelines/", new { name = "layers", version = "1", owner = "platform", lineage = new { edges = layers } });
        var spokes = Enumerable.Range(0, 250).Select(number => new { from = Hub, to = $"mart.report_{number:000}" });
        await Send(client, "pipelines/", new { name = "fan_out", version = "1", owner = "reporting", lineage = new { edges = spokes } });
    }

    private async Task PostRuns(HttpClient client)
    {
        for (var day = 0; day < 30; day++)
        {
            var start = _now.AddDays(day - 29).AddHours(-3);
            var failed = day is 12 or 29;
            await Send(client, "runs/", new
            {
                id = $"{Daily}-{day:00}",
                pipeline_id = Daily,
                status = failed ? "failed" : "completed",
                started_at = start,
                completed_at = start.AddMinutes(4 + (day % 5)),
                records_processed = 4000 + day,
                error_message = failed ? "load: connection reset by peer after 3 attempts" : null,
                trigger = "schedule",
                external_url = "https://airflow.example/dags/orders_daily",
                metadata = new { attempt = 1, host = "worker-7" },
                stages = Stages(["extract", "load", "publish"], start, failed ? 1 : null),
            });
        }

        await Send(client, "runs/", new { id = Failed, pipeline_id = Daily, status = "running", started_at = _now.AddHours(-3) });
        await Send(client, "runs/", new
        {
            id = Running,
            pipeline_id = "orders_live",
            status = "running",
            started_at = _now.AddMinutes(-10),
            stages = new object[]
            {
                new { stage_name = "extract", status = "completed", started_at = _now.AddMinutes(-10), completed_at = _now.AddMinutes(-6) },
                new { stage_name = "load", status = "running", started_at = _now.AddMinutes(-6) },
                new { stage_name = "publish", status = "pending" },
            },
        });
        await Send(client, "runs/", new { id = "orders_live-2", pipeline_id = "orders_live", status = "pending" });
        await Send(client, "runs/", new { id = Endless, pipeline_id = "orders_live", status = "running", started_at = _now.AddDays(-40) });
        await Send(client, "runs/", new
        {
            id = Long,
            pipeline_id = "orders_live",
            status = "failed",
            started_at = _now.AddDays(-40),
            completed_at = _now.AddMinutes(-20),
            error_message = "out of memory",
        });
        await Send(client, "runs/", new
        {
            id = "late_report-1",
            pipeline_id = "late_report",
            status = "completed",
            started_at = _now.AddDays(-3),
            completed_at = _now.AddDays(-3).AddMinutes(2),
        });
        await Send(client, "runs/", new
        {
            id = Hostile,
            pipeline_id = Hostile,
            status = "failed",
            started_at = _now.AddHours(-2),
            completed_at = _now.AddHours(-1),
            error_message = Hostile + string.Concat(Enumerable.Repeat("\nat <b>line</b>", 2000)),
            trigger = Hostile,
            external_url = "https://example.test/?a=%3Cscript%3E",
            metadata = new Dictionary<string, string> { [Hostile] = Hostile },
            stages = new[] { new { stage_name = Hostile, status = "failed", error_message = Hostile } },
        });
    }

    private async Task PostWideRuns(HttpClient client)
    {
        string[] names = [.. Enumerable.Range(0, WideStages).Select(number => $"table_{number:000}")];
        for (var run = 0; run < WideRuns; run++)
        {
            var start = _now.AddHours(run - WideRuns);
            await Send(client, "runs/", new
            {
                id = $"{Wide}-{run:00}",
                pipeline_id = Wide,
                status = run == WideRuns - 1 ? "failed" : "completed",
                started_at = start,
                completed_at = start.AddMinutes(50),
                stages = Stages(names, start, run == WideRuns - 1 ? 700 : null),
            });
        }
    }

    private async Task PostResults(HttpClient client)
    {
        // Two results a day for 30 days, with a gap of about three days. The value rises until the check fails.
        var measured = Enumerable.Range(0, 60).Where(number => number is < 20 or > 26).Select(number => Result(
            Measured, number, number < 45 ? "pass" : number < 54 ? "warn" : "fail", 30 + number + (number % 3),
            "The mean of amount is above 80."));
        var flapping = Enumerable.Range(0, 40).Select(number => Result(
            Flapping, number + 20, number % 3 == 0 ? "fail" : "pass", number % 3, "The newest row is older than 1 d."));
        await Send(client, "checks/results", measured.Concat(flapping).Append(new
        {
            id = "orders_not_empty-29",
            pipeline_id = Daily,
            check_id = "orders_not_empty",
            run_id = Failed,
            status = "fail",
            dataset = "mart.orders",
            observed_value = 0,
            message = "mart.orders is empty",
            executed_at = _now.AddHours(-2),
        }));
        await Send(client, "checks/results", new[]
        {
            new { pipeline_id = Hostile, check_id = Hostile, run_id = Hostile, status = "fail", dataset = Hostile, message = Hostile },
            new
            {
                pipeline_id = Daily,
                check_id = "broken_sql",
                run_id = "",
                status = "error",
                dataset = "mart.orders",
                message = "no such table",
            },
        }.Select(result => new
        {
            result.pipeline_id,
            result.check_id,
            run_id = result.run_id == "" ? null : result.run_id,
            result.status,
            result.dataset,
            result.message,
            executed_at = _now.AddHours(-1),
        }));
    }

    private object Result(string check, int number, string status, double value, string message) => new
    {
        id = $"{check}-{number}",
        pipeline_id = Daily,
        check_id = check,
        run_id = (string?)null,
        status,
        dataset = "mart.orders",
        observed_value = value,
        message = status == "pass" ? null : message,
        executed_at = _now.AddHours((number - 60) * 12).AddMinutes(30),
    };

    private static IEnumerable<object> Stages(string[] names, DateTimeOffset start, int? failed) => names.Select((name, index) =>
    {
        var begin = start.AddSeconds(index * 60 % 2400);
        return new
        {
            stage_name = name,
            status = index == failed ? "failed" : "completed",
            started_at = begin,
            completed_at = begin.AddSeconds(30 + (index % 50)),
            records_processed = (long?)(index * 1000),
            error_message = index == failed ? "connection reset by peer" : null,
        };
    });

    private static async Task Send(HttpClient client, string path, object body)
    {
        var answer = await client.PostJson($"/api/v1/{path}", body);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
    }
}
