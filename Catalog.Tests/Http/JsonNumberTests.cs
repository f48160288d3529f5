using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.Http;

[Trait("Category", "Fast")]
public sealed class JsonNumbersOnSqlite(SqliteTestDatabase database) : JsonNumberTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class JsonNumbersOnPostgres(PostgresTestDatabase database) : JsonNumberTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Whole numbers are accepted in every notation; numbers that other clients cannot read are refused.</summary>
public abstract class JsonNumberTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Advice = "send it as text";

    public static TheoryData<string, string> Spellings => new()
    {
        { "3", "3" }, { "3.0", "3" }, { "3e0", "3" }, { "30e-1", "3" }, { "0.3E+1", "3" },
        { "3.00000000000000000000000000000000000000000000000000", "3" }, { "-0", "0" }, { "-0.0", "0" },
        { "0e400", "0" }, { "0.000e-9999", "0" }, { "9223372036854775807.0", "9223372036854775807" },
        { "922337203685477580.7e1", "9223372036854775807" }, { "1e18", "1000000000000000000" },
        { "9007199254740993.0", "9007199254740993" },
    };

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task A_whole_number_is_accepted_in_every_notation(string sent, string stored)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });

        Assert.Equal(HttpStatusCode.Created, (await Result($"\"id\":\"{Name}\",\"failed_rows\":{sent},\"total_rows\":{sent}")).StatusCode);
        Assert.Equal(
            HttpStatusCode.Created,
            (await Send(
                HttpMethod.Post, "/api/v1/runs/",
                $$"""{"id":"{{Name}}","pipeline_id":"{{Name}}","status":"running","records_processed":{{sent}},"stages":[{"stage_name":"a","status":"running","records_processed":{{sent}}}]}""")).StatusCode);
        Assert.Equal(
            HttpStatusCode.OK,
            (await Send(HttpMethod.Put, $"/api/v1/runs/{Name}/stages/b", $$"""{"status":"running","records_processed":{{sent}}}"""))
                .StatusCode);

        var result = await Client.GetJson($"/api/v1/checks/results/{Name}");
        var run = await Client.GetJson($"/api/v1/runs/{Name}");
        Assert.All(
            new[] { result.GetProperty("failed_rows"), result.GetProperty("total_rows"), run.GetProperty("records_processed"),
                run.GetProperty("stages")[0].GetProperty("records_processed"), run.GetProperty("stages")[1]
                    .GetProperty("records_processed") },
            number => Assert.Equal(stored, number.GetRawText()));
    }

    [Theory]
    [InlineData("3.5", "whole number")]
    [InlineData("1e-1", "whole number")]
    [InlineData("1e400", "9223372036854775807")]
    [InlineData("9223372036854775808", "9223372036854775807")]
    [InlineData("-9223372036854775809.0", "9223372036854775807")]
    [InlineData("1e99999999999999999999", "9223372036854775807")]
    [InlineData("1e-99999999999999999999", "whole number")]
    [InlineData("\"3\"", "whole number")]
    [InlineData("true", "whole number")]
    [InlineData("-1", "0 or more")]
    [InlineData("-1.0", "0 or more")]
    public async Task An_invalid_count_is_422_and_the_error_states_the_rule(string number, string expected)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });

        var problem = await (await Result($"\"failed_rows\":{number}")).Problem(422, "invalid");

        Assert.Contains(expected, problem.GetProperty("errors").GetProperty("/failed_rows")[0].GetString());
    }

    [Fact]
    public async Task A_whole_number_with_too_many_digits_is_422_because_events_are_returned_as_sent()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });

        var problem = await (
            await Send(HttpMethod.Post, "/api/v1/runs/",
                $$"""{"pipeline_id":"{{Name}}","status":"running","records_processed":3.{{new string('0', 1001)}} }"""))
                    .Problem(422, "invalid");

        Assert.Contains(Advice, problem.GetProperty("errors").GetProperty("/records_processed")[0].GetString());
    }

    [Fact]
    public async Task Other_whole_number_fields_accept_every_notation()
    {
        using var owner = await App.Organization(Name);
        using var body = new StringContent("""{"runs_kept_days":30.0,"results_kept_days":3e1,"events_kept_days":300e-1}""", null,
            "application/json");
        var changed = await (await owner.PutAsync("/api/v1/organizations/me/retention", body, Ct)).Json();
        Assert.Equal("""{"runs_kept_days":30,"results_kept_days":30,"events_kept_days":30}""", changed.GetProperty("retention")
            .GetRawText());

        using var key = new StringContent("""{"name":"k","expires_in_seconds":3600.0}""", null, "application/json");
        Assert.Equal(HttpStatusCode.Created, (await owner.PostAsync("/api/v1/organizations/me/api-keys", key, Ct)).StatusCode);
        Assert.Equal(
            HttpStatusCode.Created,
            (await Send(HttpMethod.Post, "/api/v1/connections/",
                $$"""{"id":"{{Name}}","type":"postgres","config":{"host":"h","port":5432.0} }""")).StatusCode);
        await (await Send(HttpMethod.Post, "/api/v1/connections/",
            $$"""{"id":"{{Name}}-2","type":"postgres","config":{"host":"h","port":5432.5} }""")).Problem(422, "invalid");
    }

    public static TheoryData<string> Unreadable =>
    [
        new string('9', 1001), "-" + new string('9', 1001), "0." + new string('1', 1001), "1e400", "-1E+400", "1e-400",
        "1e99999999999999999999", new string('9', 1000) + ".5", "1e" + new string('0', 1000) + "1",
    ];

    [Theory]
    [MemberData(nameof(Unreadable))]
    public async Task An_unreadable_number_is_422_in_every_stored_field(string number)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        foreach (var (field, pointer) in new[]
                 {
                     ($"\"observed_value\":{number}", "/observed_value"),
                     ($"\"observed_value\":[1,{{\"a\":\"e1\",\"b\":{number}}}]", "/observed_value"),
                     ($"\"expected\":{{\"max\": {number} }}", "/expected"), ($"\"metadata\":{{\"a\":[{number}]}}", "/metadata"),
                 })
        {
            await Refused(await Result(field), pointer);
        }

        await Refused(
            await Send(HttpMethod.Post, "/api/v1/runs/",
                $$"""{"pipeline_id":"{{Name}}","status":"running","metadata":{"a":{{number}} } }"""), "/metadata");
        foreach (var field in new[] { "params", "warn", "fail" })
        {
            await Refused(
                await Send(HttpMethod.Post, "/api/v1/checks/", $$"""{"id":"{{Name}}","kind":"x","{{field}}":{"a":{{number}} } }"""),
                $"/{field}");
        }

        await Refused(
            await Send(HttpMethod.Post, "/api/v1/connections/",
                $$"""{"id":"{{Name}}","type":"other","config":{"host":"h","port":{{number}} } }"""), "/config");
        await Refused(await Send(HttpMethod.Post, "/api/v1/pipelines/", $$"""{"name":"{{Name}}","x":{"y/z":[0,{{number}}] } }"""),
            "/x/y~1z/1");
        await Refused(
            await Send(HttpMethod.Post, "/api/v1/pipelines/",
                $$"""[{"name":"{{Name}}-a"},{"name":"{{Name}}-b","checks":[{"id":"c","threshold":{{number}} }] }]"""),
                    "/1/checks/0/threshold");

        var many = await Send(
            HttpMethod.Post, "/api/v1/checks/results",
            $$"""[{"pipeline_id":"{{Name}}","check_id":"c","status":"pass","observed_value":{{number}}},{"pipeline_id":"{{Name}}","check_id":"c","status":"pass"}]""");
        Assert.Equal(["rejected", "stored"], (await many.Json()).GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("outcome").GetString()));

        async Task Refused(HttpResponseMessage answer, string pointer)
        {
            var errors = (await answer.Problem(422, "invalid")).GetProperty("errors");
            Assert.Contains(Advice, string.Join(' ', errors.GetProperty(pointer).EnumerateArray().Select(message => message.GetString())));
        }
    }

    public static TheoryData<string> Readable =>
        [new string('9', 1000), "12345678901234567890.50", "1e308", "-1.5E-300", "0e999", "\"" + new string('9', 60_000) + "\"",
            "{\"1e400\":\"1e400 \\\" 1e400\"}", "[1e3,2]"];

    [Theory]
    [MemberData(nameof(Readable))]
    public async Task A_readable_value_is_stored_as_sent(string value)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });

        Assert.Equal(HttpStatusCode.Created, (await Result($"\"id\":\"{Name}\",\"observed_value\":{value}")).StatusCode);
        Assert.Equal(value, (await Client.GetJson($"/api/v1/checks/results/{Name}")).GetProperty("observed_value").GetRawText());
    }

    private Task<HttpResponseMessage> Result(string fields) =>
        Send(HttpMethod.Post, "/api/v1/checks/results", $$"""{"pipeline_id":"{{Name}}","check_id":"c","status":"pass",{{fields}}}""");
}
