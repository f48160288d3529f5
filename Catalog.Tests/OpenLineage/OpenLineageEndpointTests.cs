using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.OpenLineage;

[Trait("Category", "Fast")]
public sealed class OpenLineageEndpointsOnSqlite(SqliteTestDatabase database) : OpenLineageEndpointTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class OpenLineageEndpointsOnPostgres(PostgresTestDatabase database) : OpenLineageEndpointTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class OpenLineageEndpointTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Path = "/api/v1/lineage";

    [Theory]
    [InlineData("/api/v1/lineage")]
    [InlineData("/api/v1/lineage/")]
    [InlineData("/lineage")]
    [InlineData("/api//v1//lineage/")]
    [InlineData("/api/v1/lineage?spark.app=x&unknown=1")]
    public async Task An_event_is_stored_on_every_spelling_of_the_path(string path)
    {
        var answer = await Send(HttpMethod.Post, path, Event("COMPLETE", "2026-01-01T00:05:00Z"));

        Assert.Equal(201, (int)answer.StatusCode);
        Assert.Equal("", await answer.Content.ReadAsStringAsync(Ct));
        Assert.Equal("completed", (await Run()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task An_event_arrives_as_the_Java_client_sends_it()
    {
        using var buffer = new MemoryStream();
        await using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(Event("FAIL", "2026-01-01T00:05:00.123456789Z",
                runFacets: """{"errorMessage":{"message":"no such table","programmingLanguage":"java"}}""")));
        }

        using var client = App.Anonymous();
        client.DefaultRequestHeaders.Authorization = new("Bearer", CatalogApp.Key);
        client.DefaultRequestHeaders.ExpectContinue = true;
        client.DefaultRequestHeaders.TransferEncodingChunked = true;
        var content = new ByteArrayContent(buffer.ToArray());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/json; charset=UTF-8");
        content.Headers.ContentEncoding.Add("gzip");

        Assert.Equal(201, (int)(await client.PostAsync(Path, content, Ct)).StatusCode);
        var run = await Run();
        Assert.Equal(("failed", "no such table", "2026-01-01T00:05:00.123456Z"), (run.GetProperty("status").GetString(),
            run.GetProperty("error_message").GetString(), run.GetProperty("completed_at").GetString()));
    }

    [Fact]
    public async Task A_complete_without_a_start_and_a_late_start_are_one_run()
    {
        await Send(HttpMethod.Post, Path, Event("COMPLETE", "2026-01-01T00:05:00Z"));
        await Send(HttpMethod.Post, Path, Event("START", "2026-01-01T00:00:00"));
        await Send(HttpMethod.Post, Path, Event("START", "2026-01-01T00:00:00"));

        var run = await Run();
        Assert.Equal(("completed", 300), (run.GetProperty("status").GetString(), run.GetProperty("duration_seconds").GetDouble()));
        var events = await Client.GetJson($"/api/v1/runs/{Name}/events");
        Assert.Equal(2, events.GetProperty("items").GetArrayLength());
        Assert.Contains("schemaURL", events.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Aborted_runs_are_cancelled_and_tasks_are_stages_of_their_parent()
    {
        var parent = $$$"""{"parent":{"run":{"runId":"dag-{{{Name}}}"},"job":{"namespace":"airflow","name":"{{{Name}}}"} } }""";

        await Send(HttpMethod.Post, Path, Event("ABORT", "2026-01-01T00:05:00Z", job: $"{Name}.load", runFacets: parent));

        Assert.Equal("cancelled", (await Run()).GetProperty("status").GetString());
        var dag = await Client.GetJson($"/api/v1/runs/dag-{Name}");
        Assert.Equal($"airflow/{Name}", dag.GetProperty("pipeline_id").GetString());
        Assert.Equal(("load", "cancelled"), (dag.GetProperty("stages")[0].GetProperty("stage_name").GetString(),
            dag.GetProperty("stages")[0].GetProperty("status").GetString()));
    }

    [Fact]
    public async Task A_parent_whose_id_a_path_cannot_contain_is_counted_and_not_stored()
    {
        var parent = $$$"""{"parent":{"run":{"runId":"dag%2F{{{Name}}}"},"job":{"namespace":"airflow","name":"{{{Name}}}"} } }""";

        await Send(HttpMethod.Post, Path, Event("COMPLETE", "2026-01-01T00:05:00Z", job: $"{Name}.load", runFacets: parent));

        Assert.Equal([Name], (await Client.GetJson("/api/v1/runs/")).GetProperty("items").EnumerateArray()
            .Select(run => run.GetProperty("id").GetString()).Where(id => id!.Contains(Name, StringComparison.Ordinal)));
        Assert.Contains((await Client.GetJson($"{Path}/facets")).GetProperty("items").EnumerateArray(), item =>
            (item.GetProperty("facet").GetString(), item.GetProperty("reason").GetString()) == ("parent", "invalid"));
    }

    [Fact]
    public async Task A_failed_assertion_of_severity_warn_is_a_warning_and_is_stored_once()
    {
        const string Facet = """
            {"assertions":[{"assertion":"not_null","column":"id","success":true},
            {"assertion":"unique","column":"id","success":false,"severity":"warn"},{"assertion":"broken"}]}
            """;
        var input = $$$"""
            [{"namespace":"db","name":"{{{Name}}}","facets":{"dataQualityAssertions":{{{Facet}}} },
              "inputFacets":{"dataQualityAssertions":{{{Facet}}} } }]
            """;

        await Send(HttpMethod.Post, Path, Event("COMPLETE", "2026-01-01T00:05:00Z", inputs: input));

        var results = await Client.GetJson($"/api/v1/checks/results?run_id={Name}");
        Assert.Equal([$"not_null(id) on db/{Name} pass", $"unique(id) on db/{Name} warn"], results.GetProperty("items").EnumerateArray()
            .Select(item => $"{item.GetProperty("check_id").GetString()} {item.GetProperty("status").GetString()}")
            .Order(StringComparer.Ordinal));
        Assert.Contains((await Client.GetJson($"{Path}/facets")).GetProperty("items").EnumerateArray(), item =>
            (item.GetProperty("facet").GetString(), item.GetProperty("reason").GetString()) == ("dataQualityAssertions", "invalid"));
    }

    [Fact]
    public async Task An_edge_ends_when_a_later_completed_run_no_longer_reports_it()
    {
        await Post("r1", "2026-01-01T00:00:00Z", "a", "b");
        await Post("r2", "2026-01-02T00:00:00Z", "c", "b");

        Assert.Equal($"{Name}.c-{Name}.b", await Edges(""));
        Assert.Equal($"{Name}.a-{Name}.b", await Edges("&at=2026-01-01T12:00:00Z"));

        Task Post(string run, string time, string from, string to) => Send(HttpMethod.Post, Path, $$$"""
            {"eventType":"COMPLETE","eventTime":"{{{time}}}","run":{"runId":"{{{Name}}}-{{{run}}}"},"job":{"namespace":"n","name":"{{{Name}}}"},
             "inputs":[{"namespace":"","name":"{{{Name}}}.{{{from}}}"}],"outputs":[{"namespace":"","name":"{{{Name}}}.{{{to}}}"}]}
            """);
        async Task<string> Edges(string query) => string.Join(' ', (await Client.GetJson($"{Path}?dataset={Name}.b&depth=1{query}"))
            .GetProperty("edges").EnumerateArray().Select(edge => $"{edge.GetProperty("from")}-{edge.GetProperty("to")}"));
    }

    [Fact]
    public async Task Two_names_of_one_dataset_are_one_node()
    {
        await Send(HttpMethod.Post, Path, Event("COMPLETE", "2026-01-01T00:00:00Z",
            inputs: $$"""[{"namespace":"s3://lake","name":"{{Name}}/raw"}]""",
            outputs: $$"""[{"namespace":"hive","name":"{{Name}}.t"}]"""));
        await Send(HttpMethod.Post, Path, $$$"""
            {"eventTime":"2026-01-01T00:00:00Z","dataset":{"namespace":"s3://lake","name":"{{{Name}}}/t","facets":
             {"symlinks":{"identifiers":[{"namespace":"hive","name":"{{{Name}}}.t","type":"TABLE"}]},"schema":{"fields":[{"name":"id"}] } } } }
            """);

        var graph = await Client.GetJson($"{Path}?dataset=hive%2F{Name}.t");

        Assert.Equal([$"hive/{Name}.t", $"s3://lake/{Name}/raw"], graph.GetProperty("nodes").EnumerateArray()
            .Select(node => node.GetProperty("id").GetString()!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_batch_has_an_outcome_for_each_refused_event()
    {
        var answer = await Send(HttpMethod.Post, $"{Path}/batch",
            $$$"""[{{{Event("START", "2026-01-01T00:00:00Z")}}}, {"run":{}}, 7, {{{Event("COMPLETE", "2026-01-01T00:01:00Z")}}}]""");

        Assert.Equal(200, (int)answer.StatusCode);
        var body = await answer.Json();
        Assert.Equal("partial_success", body.GetProperty("status").GetString());
        Assert.Equal((4, 2, 2), (body.GetProperty("summary").GetProperty("received").GetInt32(),
            body.GetProperty("summary").GetProperty("successful").GetInt32(),
            body.GetProperty("summary").GetProperty("failed").GetInt32()));
        Assert.Equal([1, 2], body.GetProperty("failed_events").EnumerateArray().Select(item => item.GetProperty("index").GetInt32()));
        Assert.Equal("completed", (await Run()).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("{", 400, "malformed")]
    [InlineData("7", 422, "invalid")]
    [InlineData("{}", 422, "invalid")]
    [InlineData("""{"run":{"runId":7},"job":{"name":"x"}}""", 422, "invalid")]
    [InlineData("""{"run":{"runId":"x"}}""", 422, "invalid")]
    [InlineData("""{"run":{"runId":"a%2fb"},"job":{"name":"x"}}""", 422, "invalid")]
    [InlineData("""{"run":{"runId":".."},"job":{"name":"x"}}""", 422, "invalid")]
    [InlineData("""{"job":{"namespace":"x"}}""", 422, "invalid")]
    public async Task What_is_no_event_is_refused(string body, int status, string code) =>
        await (await Send(HttpMethod.Post, Path, body)).Problem(status, code);

    [Theory]
    [InlineData("""{"eventType":7,"eventTime":{},"run":{"runId":"NAME","facets":[]},"job":{"name":"NAME","namespace":7,"facets":{"sql":7}},"inputs":{},"outputs":[7,{"name":"\u0000"}]}""")]
    [InlineData("""{"eventTime":"9999-12-31T23:59:59Z","run":{"runId":"NAME","facets":{"parent":{"run":{"runId":"NAME"}}}},"job":{"name":"NAME"}}""")]
    [InlineData("""{"eventTime":"2026-01-01T00:00:00Z","run":{"runId":"NAME","facets":{"\u0000":{},"environmentVariables":{"environmentVariables":[{"name":"A","value":"b"},7]}}},"job":{"name":"NAME","facets":{"tags":{"tags":[7,{"key":"a"}]}}},"outputs":[{"name":"a","facets":{"schema":[],"columnLineage":{"fields":{"c":7,"d":{"inputFields":[7,{"name":"x"}]}}},"symlinks":{"identifiers":[{"name":"a"},7]},"lineage":7}}]}""")]
    public async Task What_is_half_understood_is_stored(string body)
    {
        var answer = await Send(HttpMethod.Post, Path, body.Replace("NAME", Name, StringComparison.Ordinal));

        Assert.Equal(201, (int)answer.StatusCode);
        Assert.NotEqual(JsonValueKind.Undefined, (await Run()).ValueKind);
    }

    [Fact]
    public async Task Names_of_columns_that_no_index_can_hold_are_counted_and_the_others_are_stored()
    {
        var @long = new string('\u4e2d', 500);
        var output = $$$"""
            [{"name":"{{{Name}}}","facets":{"columnLineage":{"fields":{"{{{@long}}}":{"inputFields":[{"name":"a","field":"{{{@long}}}"}]},
              "id":{"inputFields":[{"name":"a","field":"id"}] } } } } }]
            """;

        var answer = await Send(HttpMethod.Post, Path, Event("COMPLETE", "2026-01-01T00:00:00Z", outputs: output));

        Assert.Equal(201, (int)answer.StatusCode);
        Assert.Contains((await Client.GetJson($"{Path}/facets")).GetProperty("items").EnumerateArray(), item =>
            (item.GetProperty("facet").GetString(), item.GetProperty("reason").GetString()) == ("columnLineage", "limit"));
    }

    [Fact]
    public async Task An_event_with_too_many_pairs_of_datasets_keeps_its_datasets_without_edges()
    {
        string Datasets(string prefix) =>
            $"[{string.Join(',', Enumerable.Range(0, 320).Select(i => $$"""{"name":"{{Name}}.{{prefix}}{{i}}"}"""))}]";

        await Send(HttpMethod.Post, Path, Event("COMPLETE", "2026-01-01T00:00:00Z", inputs: Datasets("i"), outputs: Datasets("o")));

        var graph = await Client.GetJson($"{Path}?dataset={Name}.o1");
        Assert.Equal(0, graph.GetProperty("edges").GetArrayLength());
        Assert.Single(graph.GetProperty("nodes").EnumerateArray());
    }

    [Fact]
    public async Task An_event_on_a_wrong_path_is_answered_with_the_settings_to_use()
    {
        foreach (var path in new[] { "/", "/api/v1", "/api/v1/lineages", "/v1/lineage" })
        {
            var problem = await (await Send(HttpMethod.Post, path, Event("START", "2026-01-01T00:00:00Z"))).Problem(404, "not_found");

            Assert.Contains("OPENLINEAGE_URL", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_plan_that_is_full_stores_the_event_and_a_rate_does_not_refuse_it()
    {
        using var client = await App.Organization(Name, "free");
        for (var i = 0; i < 120; i++)
        {
            var answer = await client.PostAsync(Path, new StringContent(Event("COMPLETE", "2026-01-01T00:00:00Z", job: $"job{i % 5}",
                run: $"{Name}-{i}"), Encoding.UTF8, "application/json"), Ct);

            Assert.Equal(201, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task Values_of_environment_variables_are_not_stored()
    {
        await Send(HttpMethod.Post, Path, Event("START", "2026-01-01T00:00:00Z", runFacets:
            """{"environmentVariables":{"environmentVariables":[{"name":"DB_PASSWORD","value":"hunter2hunter2"}]}}"""));

        var events = (await Client.GetJson($"/api/v1/runs/{Name}/events")).GetRawText();
        Assert.Contains("DB_PASSWORD", events, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", events, StringComparison.Ordinal);
    }

    private string Event(string type, string time, string? job = null, string? run = null, string runFacets = "{}", string inputs = "[]",
        string outputs = "[]") => $$$"""
        {"eventType":"{{{type}}}","eventTime":"{{{time}}}","producer":"https://example.com/test","schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
         "run":{"runId":"{{{run ?? Name}}}","facets":{{{runFacets}}}},"job":{"namespace":"airflow","name":"{{{job ?? Name}}}"},
         "inputs":{{{inputs}}},"outputs":{{{outputs}}}}
        """;

    private Task<JsonElement> Run() => Client.GetJson($"/api/v1/runs/{Name}");
}
