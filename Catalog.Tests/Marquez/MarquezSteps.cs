using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Marquez;

/// <summary>Posts the events that the tests of Marquez's routes read back.</summary>
public abstract class MarquezSteps(TestDatabase database) : EndpointTestBase(database)
{
    protected const string Api = "/api/v1";
    protected const string Warehouse = "postgres://host:5432";

    protected string Jobs => $"ns-{Name}";

    protected async Task PostAll()
    {
        var parent = $$"""
            {"parent":{"run":{"runId":"{{Name}}-dag"},"job":{"namespace":"{{Jobs}}","name":"daily"} },
             "nominalTime":{"nominalStartTime":"2026-01-02T00:00:00Z"} }
            """;
        var failed = $$$"""{{{parent[..^1]}}},"errorMessage":{"message":"no such table","programmingLanguage":"sql"} }""";
        const string Job = """
            {"documentation":{"description":"Loads orders"},"sql":{"query":"select 1"},
             "sourceCodeLocation":{"type":"git","url":"https://example.com/load.sql"},
             "tags":{"tags":[{"key":"core","value":"true"},{"key":"team","value":"x"}]}}
            """;
        var input = $$"""[{"namespace":"{{Warehouse}}","name":"{{Name}}.raw"}]""";
        string Output(string fields) => $$$"""
            [{"namespace":"{{{Warehouse}}}","name":"{{{Name}}}.orders","facets":{"schema":{"fields":[{{{fields}}}]},
              "documentation":{"description":"All orders"},"dataSource":{"name":"warehouse"},
              "lifecycleStateChange":{"lifecycleStateChange":"CREATE"},
              "tags":{"tags":[{"key":"gold","value":"true"},{"key":"pii","value":"true","field":"id"}]},
              "columnLineage":{"fields":{"id":{"inputFields":[{"namespace":"{{{Warehouse}}}","name":"{{{Name}}}.raw","field":"order_id",
                "transformations":[{"type":"DIRECT","subtype":"IDENTITY","description":"copied"}]}]} } } } }]
            """;
        const string First = """{"name":"id","type":"bigint","description":"The id"}""";
        await Post("START", "2026-01-01T00:00:00Z", Jobs, "daily.load", $"{Name}-1", parent, Job, input, Output(First));
        await Post("COMPLETE", "2026-01-01T00:01:00Z", Jobs, "daily.load", $"{Name}-1", parent, Job, input, Output(First));
        var second = Output($$"""{{First}},{"name":"total"}""");
        await Post("START", "2026-01-02T00:00:00Z", Jobs, "daily.load", $"{Name}-2", parent, Job, input, second);
        await Post("FAIL", "2026-01-02T00:01:30Z", Jobs, "daily.load", $"{Name}-2", failed, Job, input, second);
        // It reads without writing, so no edge leads to it.
        await Post("COMPLETE", "2026-01-02T00:02:00Z", Jobs, "daily.report", $"{Name}-3", inputs: $$$"""
            [{"namespace":"{{{Warehouse}}}","name":"{{{Name}}}.orders","inputFacets":{"dataQualityAssertions":{"assertions":[
              {"assertion":"not_null","column":"id","success":true},{"assertion":"unique","column":"id","success":false}]} } }]
            """);
    }

    protected async Task Post(string type, string time, string ns, string job, string run, string runFacets = "{}", string jobFacets = "{}",
        string inputs = "[]", string outputs = "[]") => Assert.Equal(201, (int)(await Send(HttpMethod.Post, $"{Api}/lineage", $$$"""
        {"eventType":"{{{type}}}","eventTime":"{{{time}}}","producer":"https://example.com/test",
         "schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
         "run":{"runId":"{{{run}}}","facets":{{{runFacets}}} },"job":{"namespace":"{{{ns}}}","name":"{{{job}}}","facets":{{{jobFacets}}} },
         "inputs":{{{inputs}}},"outputs":{{{outputs}}}}
        """)).StatusCode);

    protected Task<JsonElement> Get(string path) => Client.GetJson(Api + path);

    protected static List<string> Members(JsonElement json) => [.. json.EnumerateObject().Select(member => member.Name)];

    protected static string? Text(JsonElement json, string member) => json.GetProperty(member).GetString();

    protected static List<string> NodeIds(JsonElement graph) =>
        [.. graph.GetProperty("graph").EnumerateArray().Select(node => Text(node, "id")!)];
}
