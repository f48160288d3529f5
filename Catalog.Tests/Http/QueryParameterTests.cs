using System.Net;
using System.Text.Json.Nodes;
using Catalog.Tests.Contract;
using Catalog.Tests.Support;

namespace Catalog.Tests.Http;

[Trait("Category", "Fast")]
public sealed class QueryParametersOnSqlite(SqliteTestDatabase database) : QueryParameterTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class QueryParametersOnPostgres(PostgresTestDatabase database) : QueryParameterTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>
/// Query parameters are validated on every route: misspelt, empty and malformed parameters are refused.
/// </summary>
public abstract class QueryParameterTests(TestDatabase database) : EndpointTestBase(database)
{
    [Theory]
    [InlineData("/api/v1/runs/?pipelin_id=x", "pipelin_id", "pipeline_id")]
    [InlineData("/runs?Pipelineid=x", "Pipelineid", "pipeline_id")]
    [InlineData("/api/v1/runs/?limits=3&status=failed", "limits", "limit")]
    [InlineData("/api/v1/checks/results?checkid=x", "checkid", "check_id")]
    [InlineData("/api/v1/checks/x/history?from=2026-01-01", "from", "limit")]
    [InlineData("/api/v1/lineage?data_set=x", "data_set", "dataset")]
    [InlineData("/api/v1/lineage/x?dept=3", "dept", "depth")]
    [InlineData("/api/v1/lineage/x/impact?deph=3", "deph", "depth")]
    [InlineData("/api/v1/datasets/?name_space=x", "name_space", "namespace")]
    [InlineData("/api/v1/organizations/me/audit-log?actr=x", "actr", "actor")]
    public async Task An_unknown_parameter_is_422_and_the_error_names_the_nearest(string path, string name, string nearest)
    {
        var errors = (await (await Client.GetAsync(path, Ct)).Problem(422, "invalid")).GetProperty("errors");

        Assert.Contains(nearest, errors.GetProperty(name)[0].GetString());
    }

    // Clients of other tools add parameters of their own to these.
    private static readonly string[] Lenient = ["/api/v1/lineage", "/api/v1/lineage/batch", "/v1/traces"];

    [Fact]
    public async Task Every_route_but_those_of_other_tools_refuses_an_unknown_parameter()
    {
        var document = new ApiDocument(JsonNode.Parse(await Client.GetStringAsync("/openapi/v1.json", Ct))!);
        Assert.All(document.Operations, operation => Assert.Equal("ok", Refused(operation).GetAwaiter().GetResult()));

        async Task<string> Refused(Operation operation)
        {
            var path = operation.Path.Replace("{id}", "x", StringComparison.Ordinal).Replace("{dataset}", "x", StringComparison.Ordinal)
                .Replace("{stage_name}", "x", StringComparison.Ordinal);
            var answer = await Send(new HttpMethod(operation.Method), path + "?surprise=1", operation.Body is null ? null : "{}");
            var text = await answer.Content.ReadAsStringAsync(Ct);
            var isLenient = operation.Method == "POST" && Lenient.Contains(operation.Path);
            return ((int)answer.StatusCode == 422 && text.Contains("surprise", StringComparison.Ordinal)) != isLenient
                ? "ok" : $"{operation.Method} {operation.Path}: {(int)answer.StatusCode} {text}";
        }
    }

    [Fact]
    public async Task Unknown_paths_and_methods_stay_404_or_405_with_any_query()
    {
        await (await Client.GetAsync("/api/v1/nothing?surprise=1", Ct)).Problem(404, "not_found");
        await (await Client.DeleteAsync("/api/v1/runs/?surprise=1", Ct)).Problem(405, "method_not_allowed");
        await (await Client.DeleteAsync("/api/v1/checks/results?surprise=1", Ct)).Problem(405, "method_not_allowed");
        using var anonymous = App.Anonymous();
        await (await anonymous.GetAsync("/api/v1/runs/?surprise=1", Ct)).Problem(401, "unauthorized");
    }

    [Fact]
    public async Task Percent_encoded_bytes_that_are_not_UTF_8_are_422() =>
        Assert.True((await (await Client.GetAsync("/api/v1/runs/?pipeline_id=%ff", Ct)).Problem(422, "invalid"))
            .GetProperty("errors").TryGetProperty("query", out _));

    [Theory]
    [InlineData("/api/v1/runs/?pipeline_id=", "pipeline_id")]
    [InlineData("/api/v1/runs/?limit=", "limit")]
    [InlineData("/api/v1/runs/?since=", "since")]
    [InlineData("/api/v1/runs/?status", "status")]
    [InlineData("/api/v1/checks/results?run_id=", "run_id")]
    [InlineData("/api/v1/lineage?dataset=", "dataset")]
    [InlineData("/api/v1/lineage/x?at=", "at")]
    [InlineData("/api/v1/runs/?=x", "")]
    public async Task An_empty_value_is_422(string path, string name)
    {
        var errors = (await (await Client.GetAsync(path, Ct)).Problem(422, "invalid")).GetProperty("errors");

        Assert.Equal(name, Assert.Single(errors.EnumerateObject()).Name);
    }

    [Fact]
    public async Task An_empty_value_is_accepted_where_it_has_a_meaning()
    {
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "x" });

        foreach (var path in new[] { "/api/v1/checks/?pipeline_id=", $"/api/v1/checks/{Name}?pipeline_id=", "/api/v1/datasets/?namespace=",
            "/api/v1/runs/?", "/api/v1/runs/?limit=3&" })
        {
            Assert.Equal(HttpStatusCode.OK, (await Client.GetAsync(path, Ct)).StatusCode);
        }
    }

    [Theory]
    [InlineData("/api/v1/runs/?limit=3&limit=3", "limit")]
    [InlineData("/api/v1/runs/?limit=3&Limit=4", "limit")]
    public async Task A_repeated_parameter_is_422(string path, string name)
    {
        var errors = (await (await Client.GetAsync(path, Ct)).Problem(422, "invalid")).GetProperty("errors");

        Assert.Equal(name, Assert.Single(errors.EnumerateObject()).Name, ignoreCase: true);
    }

    [Theory]
    [InlineData("2")]
    [InlineData("2.0")]
    [InlineData("2e0")]
    [InlineData("20e-1")]
    [InlineData("0.2E1")]
    [InlineData("2.000000000000000000000000000000000")]
    public async Task A_whole_number_is_accepted_in_every_notation(string two)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        for (var i = 0; i < 3; i++)
        {
            await Client.PostJson("/api/v1/runs/", new { id = $"{Name}-{i}", pipeline_id = Name, status = "running" });
        }

        Assert.Equal(2, (await Client.GetJson($"/api/v1/runs/?pipeline_id={Name}&limit={two}")).GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData("/api/v1/runs/?limit=2.5", "limit", "whole number")]
    [InlineData("/api/v1/runs/?limit=1e400", "limit", "from 1 to 500")]
    [InlineData("/api/v1/runs/?limit=99999999999999999999", "limit", "from 1 to 500")]
    [InlineData("/api/v1/runs/?limit=-1", "limit", "from 1 to 500")]
    [InlineData("/api/v1/runs/?limit=ten", "limit", "whole number")]
    [InlineData("/api/v1/runs/?limit=0x10", "limit", "whole number")]
    [InlineData("/api/v1/lineage/x?depth=1.5", "depth", "whole number")]
    [InlineData("/api/v1/runs/?since=yesterday", "since", "2026-01-31T08:00:00Z")]
    [InlineData("/api/v1/runs/?since=yesterday", "since", "24h")]
    [InlineData("/api/v1/runs/?until=24", "until", "24h")]
    [InlineData("/api/v1/runs/?until=24y", "until", "24h")]
    [InlineData("/api/v1/runs/?since=999999999d", "since", "before the year 1")]
    [InlineData("/api/v1/runs/?since=-5d", "since", "positive")]
    [InlineData("/api/v1/runs/?since=%2B5d", "since", "positive")]
    [InlineData("/api/v1/runs/?since=+5d", "since", "positive")]
    [InlineData("/api/v1/runs/?since=now-5d", "since", "24h")]
    [InlineData("/api/v1/runs/?since=5D", "since", "24h")]
    [InlineData("/api/v1/runs/?since=5M", "since", "24h")]
    [InlineData("/api/v1/runs/?since=5d%0A", "since", "24h")]
    [InlineData("/api/v1/runs/?since=0d", "since", "positive")]
    [InlineData("/api/v1/runs/?since=1.5h", "since", "whole number")]
    [InlineData("/api/v1/runs/?since=1d12h", "since", "24h")]
    [InlineData("/api/v1/runs/?since=P1D", "since", "24h")]
    [InlineData("/api/v1/runs/?since=%D9%A5d", "since", "24h")]
    [InlineData("/api/v1/runs/?started_since=-5d", "started_since", "2026-01-31T08:00:00Z")]
    [InlineData("/api/v1/runs/?ended_until=5D", "ended_until", "24h")]
    [InlineData("/api/v1/lineage/x?at=-5d", "at", "24h")]
    [InlineData("/api/v1/runs/?since=2026-13-01", "since", "24h")]
    [InlineData("/api/v1/runs/?since=2026-01", "since", "24h")]
    [InlineData("/api/v1/runs/?since=20260101", "since", "24h")]
    [InlineData("/api/v1/runs/?since=1767225600", "since", "24h")]
    [InlineData("/api/v1/checks/results?since=soon", "since", "24h")]
    [InlineData("/api/v1/checks/x/history?until=x", "until", "24h")]
    [InlineData("/api/v1/organizations/me/audit-log?since=x", "since", "24h")]
    [InlineData("/api/v1/lineage/x?at=then", "at", "24h")]
    public async Task An_unreadable_value_is_422_and_the_error_states_the_format(string path, string name, string expected)
    {
        var errors = (await (await Client.GetAsync(path, Ct)).Problem(422, "invalid")).GetProperty("errors");

        Assert.Contains(expected, errors.GetProperty(name)[0].GetString());
    }

    [Theory]
    [InlineData("24h", 25, 23)]
    [InlineData("1d", 25, 23)]
    [InlineData("1w", 169, 167)]
    [InlineData("30m", 1, 0)]
    [InlineData("5400s", 2, 1)]
    public async Task A_time_can_be_a_duration_before_now(string since, int hoursBefore, int hoursAfter)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        foreach (var hours in new[] { hoursBefore, hoursAfter })
        {
            await Client.PostJson(
                "/api/v1/checks/results", new
                {
                    id = $"{Name}-{hours}",
                    pipeline_id = Name,
                    check_id = "c",
                    status = "pass",
                    executed_at = DateTimeOffset.UtcNow.AddHours(-hours)
                });
        }

        var items = (await Client.GetJson($"/api/v1/checks/results?pipeline_id={Name}&since={since}")).GetProperty("items");
        Assert.Equal($"{Name}-{hoursAfter}", Assert.Single(items.EnumerateArray()).GetProperty("id").GetString());
        items = (await Client.GetJson($"/api/v1/checks/results?pipeline_id={Name}&until={since}")).GetProperty("items");
        Assert.Equal($"{Name}-{hoursBefore}", Assert.Single(items.EnumerateArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_date_without_a_time_is_midnight_UTC()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        foreach (var (id, at) in new[] { ("before", "2026-01-30T23:59:59.999999Z"), ("after", "2026-01-31T00:00:00Z") })
        {
            await Client.PostJson("/api/v1/checks/results",
                new { id = $"{Name}-{id}", pipeline_id = Name, check_id = "c", status = "pass", executed_at = at });
        }

        var items = (await Client.GetJson($"/api/v1/checks/results?pipeline_id={Name}&since=2026-01-31")).GetProperty("items");

        Assert.Equal($"{Name}-after", Assert.Single(items.EnumerateArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task HEAD_is_answered_like_GET_without_a_body_on_every_GET_route()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = "x", edges = new[] { new { from = "x", to = "y" } } });
        await Client.PostJson("/api/v1/runs/", new { id = "x", pipeline_id = "x", status = "running" });
        await Client.PostJson("/api/v1/checks/", new { id = "x", kind = "x" });
        await Client.PostJson("/api/v1/checks/results", new { id = "x", pipeline_id = "x", check_id = "x", status = "pass" });
        await Client.PostJson("/api/v1/connections/", new { id = "x", type = "postgres", config = new { host = "h" } });
        var document = JsonNode.Parse(await Client.GetStringAsync("/openapi/v1.json", Ct))!;
        Assert.Contains("HEAD", (string)document["info"]!["description"]!);
        var paths = new ApiDocument(document).Operations.Where(operation => operation.Method == "GET")
            .Select(operation => operation.Path.Replace("{id}", "x", StringComparison.Ordinal)
                .Replace("{dataset}", "x", StringComparison.Ordinal))
            .SelectMany(path => path == "/api/v1/lineage/" || path == "/api/v1/lineage" ? new[] { path, path + "?dataset=x" } : [path])
            .Concat(["/openapi/v1.json", "/runs", "/pipelines/?limit=1", "/api/v1/nothing", "/api/v1/runs/nobody"]).ToList();
        Assert.True(paths.Count > 20, $"{paths.Count} paths");
        foreach (var path in paths)
        {
            var get = await Send(HttpMethod.Get, path);
            var head = await Send(HttpMethod.Head, path);

            Assert.True(get.StatusCode == head.StatusCode, $"{path}: {(int)head.StatusCode}, not {(int)get.StatusCode}");
            Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
            Assert.Equal(get.Headers.ETag, head.Headers.ETag);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync(Ct));
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await App.Anonymous().SendAsync(new(HttpMethod.Head, "/api/v1/runs/"), Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await Send(HttpMethod.Head, "/api/v1/connections/x/test")).StatusCode);
    }
}
