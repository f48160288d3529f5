using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Tests.Support;

namespace Catalog.Tests.Clients;

/// <summary>
/// Runs the Python examples of docs/clients.md against a service. The other tools are replaced by objects with the
/// members that the examples use.
/// </summary>
public sealed partial class ClientGuideTests(ClientService service) : IClassFixture<ClientService>, IDisposable
{
    private static readonly string Guide = File.ReadAllText(Path.Combine(ConventionTests.Root, "docs", "clients.md"));
    private readonly PythonJob _job = new() { Url = service.Url, IsPatient = true };

    public void Dispose() => _job.Dispose();

    [Fact]
    public async Task The_first_example_stores_a_run()
    {
        await _job.Succeed(Example("The Python file"));

        var run = (await service.Client.GetJson("/api/v1/runs/?pipeline_id=daily_orders")).GetProperty("items")[0];
        Assert.Equal(("completed", 1, 1), (run.Text("status"), run.GetProperty("checks").GetProperty("pass").GetInt32(),
            run.GetProperty("checks").GetProperty("warn").GetInt32()));
    }

    [Fact]
    public async Task Callbacks_of_Airflow_store_a_run_with_its_tasks()
    {
        await Register("airflow");

        await _job.Succeed($$"""
            {{Example("Airflow")}}
            from types import SimpleNamespace as Object
            import datetime
            begin = datetime.datetime.now(datetime.timezone.utc)
            context = {"dag_run": Object(dag_id="airflow", run_id="scheduled__2026-01-01T00:00:00+00:00", start_date=begin),
                "reason": "task_failure", "ti": Object(task_id="load", start_date=begin, end_date=None)}
            tasks = reporting["default_args"]
            tasks["on_execute_callback"](context)
            tasks["on_retry_callback"](context)
            context["ti"].end_date = datetime.datetime.now(datetime.timezone.utc)
            tasks["on_failure_callback"](context)
            reporting["on_failure_callback"](context)
            """);

        var run = await Only("airflow");
        Assert.Equal(("failed", "task_failure", "failed"),
            (run.Text("status"), run.Text("error_message"), run.GetProperty("stages")[0].Text("status")));
    }

    [Fact]
    public async Task Hooks_of_Prefect_store_a_run()
    {
        await Register("prefect");

        await _job.Succeed($"""
            {Example("Prefect")}
            from types import SimpleNamespace as Object
            import uuid, datetime
            run = Object(id=uuid.uuid4(), start_time=datetime.datetime.now(datetime.timezone.utc))
            for hook, word in (("on_running", "RUNNING"), ("on_crashed", "CRASHED")):
                reporting[hook][0](Object(name="prefect"), run, Object(type=Object(value=word), message="out of memory"))
            """);

        var run = await Only("prefect");
        Assert.Equal(("failed", "out of memory"), (run.Text("status"), run.Text("error_message")));
        Assert.NotNull(run.Text("started_at"));
    }

    [Fact]
    public async Task Sensors_and_hooks_of_Dagster_store_a_run()
    {
        await Register("dagster_job");

        await _job.Succeed($"""
            from types import SimpleNamespace as Object
            statuses = Object(**dict((word, Object(value=word)) for word in ("STARTED", "SUCCESS", "FAILURE", "CANCELED")))
            sys.modules["dagster"] = Object(DagsterRunStatus=statuses, HookContext=object, failure_hook=lambda hook: hook,
                run_status_sensor=lambda run_status, name: lambda sensor: sensor)
            {Example("Dagster")}
            stats = Object(start_time=time.time(), end_time=time.time() + 1)
            context = Object(dagster_run=Object(job_name="dagster_job", run_id="d1"), instance=Object(get_run_stats=lambda run: stats))
            sensors[0](context)
            report_failed_step(Object(job_name="dagster_job", run_id="d1", step_key="load", op_exception=ValueError("no rows")))
            sensors[2](context)
            """);

        var run = await Only("dagster_job");
        Assert.Equal(("failed", 1.0), (run.Text("status"), Math.Round(run.GetProperty("duration_seconds").GetDouble(), 3)));
        var stage = run.GetProperty("stages")[0];
        Assert.Equal(("load", "no rows"), (stage.Text("stage_name"), stage.Text("error_message")));
    }

    [Fact]
    public async Task The_action_of_Great_Expectations_stores_every_result()
    {
        await Register("gx");
        var files = RealInput.Files("gx/validation_results");
        var expected = 0;
        foreach (var file in files)
        {
            using var json = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            expected += json.RootElement.GetProperty("results").GetArrayLength();
        }

        await _job.Succeed($$"""
            from types import SimpleNamespace as Object
            class ValidationAction:
                def __init__(self, **fields): self.__dict__.update(fields)
            sys.modules["great_expectations"] = Object()
            sys.modules["great_expectations.checkpoint"] = Object(ValidationAction=ValidationAction)
            {{Example("Great Expectations")}}
            import json
            for path in {{JsonSerializer.Serialize(files)}}:
                validation = Object(to_json_dict=lambda: json.load(open(path)))
                CatalogAction(name="catalog", pipeline="gx").run(Object(run_results={"id": validation}))
            """);

        Assert.Empty(_job.Rejected);
        Assert.Empty(_job.Spooled);
        var results = (await service.Client.GetJson("/api/v1/checks/results?pipeline_id=gx&limit=500")).GetProperty("items");
        var statuses = results.EnumerateArray().Select(result => result.Text("status")).ToList();
        Assert.Equal(expected, statuses.Count);
        Assert.Superset(new HashSet<string?>(["pass", "fail", "error"]), statuses.ToHashSet());
    }

    [Fact]
    public async Task A_scan_file_of_Soda_becomes_results()
    {
        await Register("soda");

        await _job.Succeed($$"""
            {{Example("Soda")}}
            scan = {"scanEndTimestamp": "2026-01-31T06:00:00+00:00", "metrics": [{"identity": "m1", "metricName": "row_count", "value": 7}],
                "automatedMonitoringChecks": [], "checks": [
                {"identity": "1", "name": "row_count > 0", "table": "orders", "metrics": ["m1"], "outcome": "pass"},
                {"identity": "2", "name": "schema", "table": None, "metrics": [], "outcome": None}]}
            catalog.checks("soda", results_of(scan))
            """);

        var results = (await service.Client.GetJson("/api/v1/checks/results?pipeline_id=soda")).GetProperty("items").EnumerateArray()
            .Select(result => $"{result.Text("check_id")} {result.Text("status")} {result.GetProperty("observed_value")}");
        Assert.Equal([": schema error ", "orders: row_count > 0 pass 7"], results.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Commands_for_a_shell_are_valid()
    {
        Assert.SkipWhen(!File.Exists("/bin/bash"), "The commands are written for bash.");
        var script = string.Join('\n', Shell().Matches(Guide).Select(match => match.Groups["commands"].Value));
        using var bash = Process.Start("/bin/bash", ["-n", "-c", script]);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, bash.ExitCode);
    }

    private static string Example(string heading) =>
        Marked().Match(Guide.Split($"\n## {heading}\n")[1].Split("\n## ")[0]).Groups["code"].Value;

    private Task<HttpResponseMessage> Register(string pipeline) => service.Client.PostJson("/api/v1/pipelines/", new { name = pipeline });

    private async Task<JsonElement> Only(string pipeline)
    {
        Assert.Empty(_job.Rejected);
        Assert.Empty(_job.Spooled);
        return (await service.Client.GetJson($"/api/v1/runs/?pipeline_id={pipeline}")).GetProperty("items").EnumerateArray().Single();
    }

    [GeneratedRegex("<!-- run -->\n```python\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Marked();

    [GeneratedRegex("```sh\n(?<commands>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Shell();
}
