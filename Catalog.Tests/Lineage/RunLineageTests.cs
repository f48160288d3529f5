using System.Net;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Lineage;

[Trait("Category", "Fast")]
public sealed class RunLineageOnSqlite(SqliteTestDatabase database) : RunLineageTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class RunLineageOnPostgres(PostgresTestDatabase database) : RunLineageTests(database), IClassFixture<PostgresTestDatabase>;

public abstract class RunLineageTests(TestDatabase database) : EndpointTestBase(database)
{
    private static readonly DateTimeOffset Day = new(2026, 2, 2, 6, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Inputs_name_the_run_that_wrote_the_version_and_outputs_the_runs_that_read_it()
    {
        await Run("load", -10, [], ["raw"]);
        var old = await Run("load", 0, [], ["raw"]);
        var used = await Run("load", 10, [], ["raw"]);
        var first = await Run("mart", 20, ["raw", "source"], ["mart"]);
        var later = await Run("load", 30, [], ["raw"]);
        var second = await Run("mart", 40, ["raw"], ["mart"]);

        var lineage = await Read(first);
        Assert.Equal([used, null], lineage.GetProperty("inputs").EnumerateArray().Select(input =>
            input.GetProperty("written_by") is { ValueKind: JsonValueKind.Object } run ? run.GetProperty("run_id").GetString() : null));
        Assert.Equal(["mart "], Outputs(lineage));
        Assert.Equal(["raw "], Outputs(await Read(old)));
        Assert.Equal(["raw " + first], Outputs(await Read(used)));
        Assert.Equal(["raw " + second], Outputs(await Read(later)));
        var input = lineage.GetProperty("inputs")[0];
        var writer = input.GetProperty("written_by");
        Assert.Equal(($"{Name}/load", "completed", Day.AddMinutes(11)), (writer.GetProperty("pipeline_id").GetString(),
            writer.GetProperty("status").GetString(), input.GetProperty("written_at").GetDateTimeOffset()));
    }

    [Fact]
    public async Task A_run_names_its_parent_its_root_and_its_children()
    {
        var (dag, other) = (Guid.NewGuid(), Guid.NewGuid());
        var task = await Run("dag.task", 0, [], ["x"], parent: dag);
        var next = await Run("dag.next", 5, [], ["y"], parent: dag);
        await Run("dag", 0, [], [], run: dag);
        await Run("elsewhere", 0, [], [], run: other);

        var up = (await Read(task)).GetProperty("parent");
        Assert.Equal((dag.ToString(), $"{Name}/dag", "completed"), (up.GetProperty("run_id").GetString(),
            up.GetProperty("pipeline_id").GetString(), up.GetProperty("status").GetString()));
        Assert.Equal([task, next], (await Read($"{dag}")).GetProperty("children").EnumerateArray()
            .Select(run => run.GetProperty("run_id").GetString()));
        Assert.Equal(0, (await Read($"{other}")).GetProperty("children").GetArrayLength());
    }

    [Fact]
    public async Task A_run_without_events_has_no_lineage_and_an_unknown_one_is_not_found()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = "completed" });

        var lineage = await Read(Name);
        Assert.All(new[] { "inputs", "outputs", "children" }, name => Assert.Equal(0, lineage.GetProperty(name).GetArrayLength()));
        await (await Client.GetAsync("/api/v1/runs/nobody/lineage", Ct)).Problem(404, "not_found");
        await (await Client.GetAsync("/api/v1/runs/x'%3B--/lineage", Ct)).Problem(404, "not_found");
        await (await Client.GetAsync($"/api/v1/runs/{Name}/lineage?depth=1", Ct)).Problem(422, "invalid");
        using var other = await App.Organization(Name);
        await (await other.GetAsync($"/api/v1/runs/{Name}/lineage", Ct)).Problem(404, "not_found");
    }

    private Task<JsonElement> Read(string run) => Client.GetJson($"/api/v1/runs/{run}/lineage");

    private List<string> Outputs(JsonElement lineage) => [.. lineage.GetProperty("outputs").EnumerateArray().Select(output =>
        Short(output) + " " + string.Join(' ', output.GetProperty("read_by").EnumerateArray()
            .Select(run => run.GetProperty("run_id").GetString())))];

    private string Short(JsonElement use) => use.GetProperty("dataset").GetString()![(Name.Length + 1)..];

    private async Task<string> Run(string job, int minute, string[] inputs, string[] outputs, Guid? parent = null, Guid? run = null)
    {
        var id = run ?? Guid.NewGuid();
        foreach (var (type, at) in new[] { ("START", minute), ("COMPLETE", minute + 1) })
        {
            var answer = await Client.PostJson("/api/v1/lineage", new
            {
                eventType = type,
                eventTime = Day.AddMinutes(at),
                run = new
                {
                    runId = id,
                    facets = parent is null ? new Dictionary<string, object>() : new Dictionary<string, object>
                    {
                        ["parent"] = new { run = new { runId = parent }, job = new { @namespace = Name, name = job.Split('.')[0] } },
                    },
                },
                job = new { @namespace = Name, name = job },
                inputs = inputs.Select(name => new { @namespace = Name, name }),
                outputs = outputs.Select(name => new { @namespace = Name, name }),
            });
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        }

        return id.ToString();
    }
}
