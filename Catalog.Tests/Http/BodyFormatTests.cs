using System.Text;
using Catalog.Tests.Support;

namespace Catalog.Tests.Http;

/// <summary>Content types of bodies, and the errors for bodies that cannot be read.</summary>
[Trait("Category", "Fast")]
public sealed class BodyFormatTests(SqliteTestDatabase database) : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Theory]
    [InlineData("application/json; charset=utf8")]
    [InlineData("application/json; charset=UTF8")]
    [InlineData("application/json;charset=\"utf-8\"")]
    [InlineData("application/json; charset=\"utf8\"")]
    [InlineData("application/json; charset='utf-8'")]
    [InlineData("application/json; charset=Utf-8; version=1")]
    [InlineData("application/json; profile=\"https://example.org/a;b\"")]
    [InlineData("application/json;odata.metadata=minimal;charset=utf8")]
    [InlineData("application/json;")]
    [InlineData("application/json; charset=")]
    [InlineData("APPLICATION/JSON")]
    [InlineData("application/vnd.api+json; charset=utf8")]
    public async Task JSON_is_accepted_in_every_spelling_of_its_type(string type) =>
        Assert.Equal(422, (int)(await Post("/api/v1/runs/", type, "{}")).StatusCode);

    [Theory]
    [InlineData("application/json; charset=iso-8859-1", "UTF-8")]
    [InlineData("application/json; charset=latin1", "UTF-8")]
    [InlineData("application/json; charset=\"utf-16\"", "UTF-8")]
    [InlineData("application/json; charset=utf-8; charset=latin1", "UTF-8")]
    [InlineData("text/json", "application/json")]
    [InlineData("application/x-www-form-urlencoded", "application/json")]
    [InlineData("json", "application/json")]
    public async Task Other_content_types_are_415_with_advice(string type, string expected)
    {
        var problem = await (await Post("/api/v1/runs/", type, "{}")).Problem(415, "unsupported_media_type");

        Assert.Contains(expected, problem.GetProperty("detail").GetString());
        Assert.Equal(type.Contains("charset", StringComparison.Ordinal), problem.GetProperty("detail")
            .GetString()!.Contains("charset", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unknown_fields_are_reported_together_with_all_other_errors()
    {
        var body = """
            {"statsu":"done","records_processed":-1,"stages":[{"stage_name":"a","status":"running"},{"stage_nme":"b","a/b":1}],"metadata":{"any":1}}
            """;

        var errors = (await (await Post("/api/v1/runs/", "application/json", body)).Problem(422, "invalid")).GetProperty("errors");

        Assert.Equal(
            ["/pipeline_id", "/records_processed", "/stages/1/a~1b", "/stages/1/stage_name", "/stages/1/stage_nme",
                "/stages/1/status", "/statsu", "/status"],
            errors.EnumerateObject().Select(error => error.Name).Order(StringComparer.Ordinal));
        Assert.StartsWith("is not a field here; did you mean status? This object has the fields attempt, check_gate,",
            errors.GetProperty("/statsu")[0].GetString());
        Assert.EndsWith("has the fields completed_at, error_message, records_processed, stage_name, started_at, status.",
            errors.GetProperty("/stages/1/a~1b")[0].GetString());
    }

    [Fact]
    public async Task Ten_of_many_unknown_fields_are_reported_and_a_long_name_costs_little()
    {
        var members = string.Join(',', Enumerable.Range(0, 2000).Select(i => $"\"{i}{new string('x', 400)}\":1"));

        var errors = (await (await Post("/api/v1/runs/", "application/json", $"{{{members}}}")).Problem(422, "invalid")).GetProperty("errors");

        Assert.Equal(10, errors.EnumerateObject().Count(error => error.Value[0].GetString()!.StartsWith("is not a field here. ",
            StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_hundred_of_many_fields_with_errors_are_listed()
    {
        var stages = string.Join(',', Enumerable.Repeat("{}", 100_000));

        var answer = await Post("/api/v1/runs/", "application/json", $$"""{"pipeline_id":"p","status":"running","stages":[{{stages}}]}""");
        var errors = (await answer.Problem(422, "invalid")).GetProperty("errors");

        Assert.Equal(101, errors.EnumerateObject().Count());
        Assert.Equal("is required.", errors.GetProperty("/stages/49/stage_name")[0].GetString());
        Assert.StartsWith("has errors in 200000 fields, of which 100 are listed.", errors.GetProperty("")[0].GetString());
    }

    [Theory]
    [InlineData("""{"pipeline_id":1}""", "/pipeline_id", "must be text.")]
    [InlineData("""{"records_processed":"many"}""", "/records_processed", "must be a whole number, such as 3; ")]
    [InlineData("""{"check_gate":1}""", "/check_gate", "must be true or false.")]
    [InlineData("""{"stages":{}}""", "/stages", "must be an array.")]
    [InlineData("""{"stages":[1]}""", "/stages/0", "must be an object.")]
    [InlineData("[]", "", "must be an object.")]
    public async Task A_field_of_the_wrong_type_is_answered_with_the_right_type(string body, string pointer, string message)
    {
        var errors = (await (await Post("/api/v1/runs/", "application/json", body)).Problem(422, "invalid")).GetProperty("errors");

        Assert.StartsWith(message, errors.GetProperty(pointer)[0].GetString());
    }

    [Theory]
    [InlineData("", "The body is empty. Send JSON.")]
    [InlineData(" \n", "The body is empty. Send JSON.")]
    [InlineData("{\"a\":", "The body is not valid JSON at line 1, byte 6.")]
    [InlineData("{\n \"a\":\"\\ud800\"}",
        "A string in the body contains half of a surrogate pair, which is not valid Unicode (line 2, byte 6).")]
    public async Task A_body_that_is_not_json_is_answered_with_its_fault(string body, string detail) =>
        Assert.Equal(detail, (await (await Post("/api/v1/runs/", "application/json", body)).Problem(400, "malformed"))
            .GetProperty("detail").GetString());

    [Theory]
    [InlineData("NaN")]
    [InlineData("nan")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("-inf")]
    [InlineData("+Infinity")]
    [InlineData("INF")]
    public async Task NaN_and_Infinity_are_named_in_the_error(string value)
    {
        foreach (var path in new[] { "/api/v1/checks/results", "/api/v1/runs/", "/api/v1/pipelines/" })
        {
            var problem = await (await Post(path, "application/json", $$"""{"name":"p","observed_value":[1, {{value}}]}"""))
                .Problem(400, "malformed");

            Assert.Contains($"{value} is not JSON", problem.GetProperty("detail").GetString());
            Assert.Contains("null or text", problem.GetProperty("detail").GetString());
        }
    }

    [Fact]
    public async Task A_string_with_such_a_word_is_not_reported_for_another_error()
    {
        var problem = await (await Post("/api/v1/runs/", "application/json", """{"a":"NaN", b}""")).Problem(400, "malformed");

        Assert.DoesNotContain("NaN", problem.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData(9_000)]
    [InlineData(40_000)]
    [InlineData(200_000)]
    public async Task A_long_URL_is_a_problem(int length)
    {
        await (await Client.GetAsync("/api/v1/runs/?pipeline_id=" + new string('a', length), Ct)).Problem(414, "uri_too_long");
        await (await Client.GetAsync("/api/v1/runs/" + new string('a', length), Ct)).Problem(414, "uri_too_long");
    }

    [Theory]
    [Trait("Fault", "F25")]
    [InlineData(1, 40_000)]
    [InlineData(1, 200_000)]
    [InlineData(300, 200)]
    public async Task Large_headers_are_a_problem(int count, int length)
    {
        var headers = Enumerable.Range(0, count).Select(i => ($"X-Long-{i}", new string('a', length))).ToArray();

        await (await Send(HttpMethod.Get, "/health", null, headers)).Problem(431, "headers_too_large");
    }

    [Fact]
    public async Task Many_small_headers_are_accepted() =>
        Assert.Equal(200, (int)(await Send(HttpMethod.Get, "/health", null, [.. Enumerable.Range(0, 150).Select(i => ($"X-{i}", "a"))]))
            .StatusCode);

    [Fact]
    public async Task During_a_database_outage_only_the_errors_of_writes_mention_storing()
    {
        using var app = new CatalogApp(Database, ("DATAXPIPE_DB", "postgresql://a:b@127.0.0.1:1/x"));
        using var client = app.Client();

        var read = await (await client.GetAsync("/api/v1/runs/x", Ct)).Problem(503, "database_unavailable");
        var written = await (await client.PostJson("/api/v1/runs/", new { pipeline_id = "p", status = "running" }))
            .Problem(503, "database_unavailable");

        Assert.DoesNotContain("stored", read.GetProperty("detail").GetString());
        Assert.Contains("stored", written.GetProperty("detail").GetString());
    }

    private async Task<HttpResponseMessage> Post(string path, string type, string body)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return await Client.PostAsync(path, content, Ct);
    }
}
