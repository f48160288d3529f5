using System.Net;
using System.Text.Json;
using Catalog.Data.Lineage;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pipelines;

[Trait("Category", "Fast")]
public sealed class PipelineEndpointsOnSqlite(SqliteTestDatabase database) : PipelineEndpointTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class PipelineEndpointsOnPostgres(PostgresTestDatabase database) : PipelineEndpointTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class PipelineEndpointTests : IDisposable
{
    private const string Path = "/api/v1/pipelines/";
    private readonly TestDatabase _database;
    private readonly CatalogApp _app;
    private readonly HttpClient _client;
    private readonly string _name = $"pipeline-{Guid.NewGuid():N}";

    protected PipelineEndpointTests(TestDatabase database)
    {
        _database = database.Require();
        _app = database.SharedService();
        _client = _app.Client();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_version_is_201_the_same_200_and_another_body_409()
    {
        var first = await Post($$"""{"name":"{{_name}}","version":"1","owner":"ann","x-note": 1.50}""");
        var same = await Post($$"""{"owner":"ann","x-note": 1.50,"version":"1","name":"{{_name}}"}""");
        var next = await Post($$"""{"name":"{{_name}}","version":"2","owner":"bob"}""");

        Assert.Equal([201, 200, 201], new[] { first, same, next }.Select(answer => (int)answer.StatusCode));
        Assert.Equal($"/api/v1/pipelines/{_name}", first.Headers.Location?.OriginalString);
        await (await Post($$"""{"name":"{{_name}}","version":"1","owner":"eve"}""")).Problem(409, "version_taken");
        Assert.Equal("bob", (await _client.GetJson(Path + _name)).GetProperty("owner").GetString());
        var versions = (await _client.GetJson(Path + _name + "/versions")).GetProperty("items");
        Assert.Equal([("2", true), ("1", false)], versions.EnumerateArray()
            .Select(version => (version.GetProperty("version").GetString()!, version.GetProperty("current").GetBoolean())));
        Assert.Equal("1.50", versions[1].GetProperty("body").GetProperty("x-note").GetRawText());
    }

    [Fact]
    public async Task Without_a_version_the_hash_of_the_body_is_the_version()
    {
        var first = await (await Post($$"""{"name":"{{_name}}","owner":"ann"}""")).Json();
        var same = await Post($$"""{"owner":"ann","name":"{{_name}}"}""");
        var other = await Post($$"""{"name":"{{_name}}","owner":"bob"}""");

        Assert.Equal(32, first.GetProperty("version").GetString()!.Length);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Created), (same.StatusCode, other.StatusCode));
    }

    [Fact]
    public async Task An_earlier_version_becomes_current_again_and_its_edges_reopen()
    {
        var (one, two) = (Edges("1", ("a", "b")), Edges("2", ("b", "c")));
        await Post(one);
        await Post(two);

        var back = await Post(one);

        Assert.Equal(HttpStatusCode.OK, back.StatusCode);
        Assert.Equal("1", (await _client.GetJson(Path + _name)).GetProperty("version").GetString());
        Assert.Equal([($"{_name}.a", true), ($"{_name}.a", false), ($"{_name}.b", true)], await Edges());
        Assert.Equal(HttpStatusCode.OK, (await Post(one)).StatusCode);
        Assert.Equal(3, (await Edges()).Count);
    }

    [Fact]
    public async Task A_deleted_pipeline_is_gone_until_it_is_registered_again()
    {
        var body = Edges("1", ("a", "b"));
        await Post(body);

        Assert.Equal(HttpStatusCode.NoContent, (await _client.DeleteAsync(Path + _name, Ct)).StatusCode);

        await (await _client.DeleteAsync(Path + _name, Ct)).Problem(404, "not_found");
        await (await _client.GetAsync(Path + _name, Ct)).Problem(404, "not_found");
        await (await _client.GetAsync(Path + _name + "/versions", Ct)).Problem(404, "not_found");
        await (await _client.PostJson("/api/v1/runs/", new { pipeline_id = _name, status = "running" })).Problem(404, "pipeline_not_found");
        Assert.DoesNotContain((await _client.GetJson(Path + "?limit=500")).GetProperty("items").EnumerateArray(), item =>
            item.GetProperty("id").GetString() == _name);
        Assert.Equal([($"{_name}.a", true)], await Edges());
        Assert.Equal(HttpStatusCode.Created, (await Post(body)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync(Path + _name, Ct)).StatusCode);
    }

    [Fact]
    public async Task An_array_is_registered_whole_or_not_at_all()
    {
        await Post($$"""{"name":"{{_name}}-b","version":"1","owner":"ann"}""");

        var refused = await Post($$"""[{"name":"{{_name}}-a","version":"1"},{"name":"{{_name}}-b","version":"1","owner":"eve"}]""");
        var invalid = await Post($$"""[{"name":"{{_name}}-a"},{"name":"{{_name}}-c","schedule":"often"},{"name":"{{_name}}-a"}]""");
        await refused.Problem(409, "version_taken");
        var errors = (await invalid.Problem(422, "invalid")).GetProperty("errors");
        Assert.Equal(["/1/schedule", "/2/name"], errors.EnumerateObject().Select(error => error.Name));
        await (await _client.GetAsync(Path + _name + "-a", Ct)).Problem(404, "not_found");

        var taken = await Post($$"""[{"name":"{{_name}}-a","version":"1"},{"name":"{{_name}}-b","version":"1","owner":"ann"}]""");
        Assert.Equal(HttpStatusCode.Created, taken.StatusCode);
        Assert.Equal(["created", "unchanged"], (await taken.Json()).GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("outcome").GetString()));
    }

    [Fact]
    public async Task An_export_can_be_posted_back()
    {
        var bodies = Enumerable.Range(0, 3).Select(i => $$"""{"name":"{{_name}}-{{i}}","version":"v1","tags":["x"],"x-kept":{"n": 1.0} }""")
            .ToList();
        await Post($"[{string.Join(',', bodies)}]");

        var export = await _client.GetStringAsync(Path + "?format=export", Ct);

        Assert.All(bodies, body => Assert.Contains(body, export));
        Assert.Equal(HttpStatusCode.OK, (await Post(export)).StatusCode);
    }

    [Fact]
    public async Task A_list_shows_the_latest_run_and_open_failures_and_filters()
    {
        await Post($$"""{"name":"{{_name}}-1","owner":"{{_name}}","environment":"prod","tags":["{{_name}}-tag","b"],"description":"Über_flüssige 100% ORDERS"}""");
        await Post($$"""{"name":"{{_name}}-2","owner":"{{_name}}"}""");
        await _client.PostJson("/api/v1/runs/", new { id = $"{_name}-r1", pipeline_id = $"{_name}-1", status = "completed" });
        await _client.PostJson("/api/v1/runs/", new { id = $"{_name}-r2", pipeline_id = $"{_name}-1", status = "running" });
        foreach (var (check, status, second) in new[] { ("a", "fail", 1), ("a", "pass", 2), ("b", "pass", 1), ("b", "fail", 2),
            ("c", "fail", 3), ("d", "pass", 1) })
        {
            await _client.PostJson("/api/v1/checks/results",
                new { pipeline_id = $"{_name}-1", check_id = check, status, executed_at = $"2026-01-01T00:00:0{second}Z" });
        }

        var items = (await _client.GetJson($"{Path}?owner={_name}")).GetProperty("items");

        Assert.Equal([$"{_name}-2", $"{_name}-1"], items.EnumerateArray().Select(item => item.GetProperty("id").GetString()));
        Assert.Equal(JsonValueKind.Null, items[0].GetProperty("latest_run").ValueKind);
        Assert.Equal($"{_name}-r2", items[1].GetProperty("latest_run").GetProperty("id").GetString());
        Assert.Equal(2, items[1].GetProperty("open_failures").GetInt64());
        Assert.Equal(["b", $"{_name}-tag"], items[1].GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
        foreach (var filter in new[] {
            $"tag={_name}-tag", "environment=prod&owner=" + _name, "q=" + Uri.EscapeDataString("ÜBER_FLÜSSIGE 100% o") })
        {
            Assert.Equal($"{_name}-1", Assert.Single((await _client.GetJson($"{Path}?{filter}")).GetProperty("items").EnumerateArray())
                .GetProperty("id").GetString());
        }

        Assert.Equal(0, (await _client.GetJson($"{Path}?q=100%25x")).GetProperty("items").GetArrayLength());
        var page = await _client.GetJson($"{Path}?owner={_name}&limit=1");
        var rest = await _client.GetJson($"{Path}?owner={_name}&limit=1&cursor={page.GetProperty("next_cursor").GetString()}");
        Assert.Equal($"{_name}-1", rest.GetProperty("items")[0].GetProperty("id").GetString());
        Assert.Equal(JsonValueKind.Null, rest.GetProperty("next_cursor").ValueKind);
    }

    [Fact]
    public async Task A_single_pipeline_has_all_fields_of_the_list()
    {
        await Post($$"""{"name":"{{_name}}","version":"1","owner":"{{_name}}","tags":["b","a"],"x-kept":[1.0],"latest_run":"the generator's own"}""");
        await _client.PostJson("/api/v1/runs/", new { id = $"{_name}-r1", pipeline_id = _name, status = "completed" });
        await _client.PostJson("/api/v1/checks/results", new { pipeline_id = _name, check_id = "a", status = "fail" });

        var item = await _client.GetJson(Path + _name);

        var listed = (await _client.GetJson($"{Path}?owner={_name}")).GetProperty("items")[0];
        Assert.Equal(_name, item.GetProperty("id").GetString());
        Assert.Equal(_name, item.GetProperty("name").GetString());
        Assert.Equal($"{_name}-r1", item.GetProperty("latest_run").GetProperty("id").GetString());
        Assert.Equal(1, item.GetProperty("open_failures").GetInt64());
        Assert.Equal("[1.0]", item.GetProperty("x-kept").GetRawText());
        Assert.Equal("""["b","a"]""", item.GetProperty("tags").GetRawText());
        Assert.Equal("version", item.EnumerateObject().First().Name);
        Assert.All(listed.EnumerateObject().Where(field => field.Name is not "tags" && field.Value.ValueKind != JsonValueKind.Null),
            field => Assert.Equal(field.Value.GetRawText(), item.GetProperty(field.Name).GetRawText()));
    }

    [Fact]
    public async Task Posting_back_a_read_pipeline_changes_nothing()
    {
        await Post($$"""{"name":"{{_name}}","owner":"ann","x-kept":1.0}""");
        await _client.PostJson("/api/v1/runs/", new { id = $"{_name}-r1", pipeline_id = _name, status = "completed" });

        var back = await Post(await _client.GetStringAsync(Path + _name, Ct));

        Assert.Equal(HttpStatusCode.OK, back.StatusCode);
        Assert.Equal(1, (await _client.GetJson(Path + _name + "/versions")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task Every_valid_id_can_be_read_by_its_path()
    {
        foreach (var odd in new[] { "a/b", "a b", "ü", "a%b", "a?b#c", "…", "/", "a\\b", "~", "%25", "a+b", "emoji 🎉", "tab\there",
            "a;b=c",
            "versions" })
        {
            var id = _name + odd;
            Assert.Equal(HttpStatusCode.Created, (await _client.PostJson(Path, new { name = id })).StatusCode);
            Assert.Equal(id, (await _client.GetJson(Path + Uri.EscapeDataString(id))).GetProperty("name").GetString());
        }
    }

    [Theory]
    [InlineData("""{"version":"1"}""", "/name")]
    [InlineData("""{"name":""}""", "/name")]
    [InlineData("""{"name":5}""", "/name")]
    [InlineData("""{"name":"p","version":true}""", "/version")]
    [InlineData("""{"name":"p","version":""}""", "/version")]
    [InlineData("""{"name":"p","tags":[""]}""", "/tags/0")]
    [InlineData("""{"name":"p","tags":[null]}""", "/tags/0")]
    [InlineData("""{"name":"p","schedule":"* * * *"}""", "/schedule")]
    [InlineData("""{"name":"p","schedule":"60 * * * *"}""", "/schedule")]
    [InlineData("""{"name":"p","sources":[{"id":"s","type":"pg","object":"t"}]}""", "/sources/0/connection_ref")]
    [InlineData("""{"name":"p","sources":[{"id":"s","type":"pg","connection_ref":"c"}]}""", "/sources/0/object")]
    [InlineData("""{"name":"p","sources":[{"id":"s","type":"pg","connection_ref":"c","object":"t","load_mode":"incremental"}]}""",
        "/sources/0/watermark_column")]
    [InlineData(
        """{"name":"p","sources":[{"id":"s","type":"pg","connection_ref":"c","object":"t"},{"id":"s","type":"pg","connection_ref":"c","object":"t"}]}""", "/sources/1/id")]
    [InlineData("""{"name":"p","targets":[{"id":"s","type":"pg","connection_ref":"c","object":"t","write_mode":"merge"}]}""",
        "/targets/0/primary_key")]
    [InlineData("""{"name":"p","transforms":[{"id":"t","inputs":["nothing"]}]}""", "/transforms/0/inputs/0")]
    [InlineData("""{"name":"p","checks":[{"id":"c","severity":"loud"}]}""", "/checks/0/severity")]
    [InlineData("""{"name":"p","checks":[{"id":"c"},{"id":"c"}]}""", "/checks/1/id")]
    [InlineData("""{"name":"p","lineage":{"edges":[{"from":"a"}]}}""", "/lineage/edges/0/to")]
    [InlineData("""{"name":"p","edges":[{"to":"a","from":""}]}""", "/edges/0/from")]
    public async Task Invalid_specs_are_422_with_a_pointer(string body, string pointer)
    {
        var problem = await (await Post(body)).Problem(422, "invalid");

        Assert.Equal(pointer, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Theory]
    [InlineData("""{"name":"p","x":1,"x":2}""")]
    [InlineData("""{"name":"p","x":[{"y":1,"y":1}]}""")]
    public async Task A_repeated_member_is_400(string body) => await (await Post(body)).Problem(400, "malformed");

    [Fact]
    public async Task A_full_spec_is_accepted()
    {
        var answer = await Post($$"""
            {"name":"{{_name}}","version":3,"description":"d","owner":"o","environment":"prod","schedule":"*/15 8-18 * * MON-FRI",
             "sources":[{"id":"s","type":"postgres","connection_ref":"pg","object":"public.orders","load_mode":"incremental",
               "watermark_column":"updated_at"}],
             "transforms":[{"id":"t","inputs":["s"],"outputs":["o"],"code_ref":"git://x"},{"id":"u","inputs":["o","t"],"sql":"select 1"}],
             "targets":[{"id":"s","type":"postgres","connection_ref":"pg","object":{"schema":"mart","table":"orders"},
               "write_mode":"merge","primary_key":["id"]}],
             "checks":[{"id":"rows","sql":"checks/rows.sql","severity":"warn","threshold":5}],
             "lineage":{"edges":[{"from":"public.orders","to":"mart.orders"}]},"edges":[{"from":"a","to":"a"}]}
            """);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal("3", (await _client.GetJson(Path + _name)).GetProperty("version").GetString());
    }

    private string Edges(string version, params (string From, string To)[] edges) => JsonSerializer.Serialize(new
    {
        name = _name,
        version,
        edges = edges.Select(edge => new { from = $"{_name}.{edge.From}", to = $"{_name}.{edge.To}" }),
    });

    // Returns upstream names and whether the interval has ended, ordered by name and start.
    private async Task<List<(string Upstream, bool Ended)>> Edges()
    {
        var names = new[] { "a", "b" }.ToDictionary(name => DatasetId.Of("", $"{_name}.{name}"), name => $"{_name}.{name}");
        var rows = await _database.Database.Many<EdgeRow>(
            "default", "select upstream, valid_from, valid_to from lineage_edges where pipeline_id = @_name order by upstream, valid_from",
            new { _name }, Ct);
        return [.. rows.Select(row => (names[row.Upstream], row.ValidTo is not null, row.ValidFrom))
            .OrderBy(row => row.Item1, StringComparer.Ordinal).ThenBy(row => row.ValidFrom).Select(row => (row.Item1, row.Item2))];
    }

    private sealed record EdgeRow
    {
        public required Guid Upstream { get; init; }
        public required DateTimeOffset ValidFrom { get; init; }
        public DateTimeOffset? ValidTo { get; init; }
    }

    private async Task<HttpResponseMessage> Post(string body)
    {
        using var content = new StringContent(body, null, "application/json");
        return await _client.PostAsync(Path, content, Ct);
    }

    public void Dispose()
    {
        _client.Dispose();
        GC.SuppressFinalize(this);
    }
}
