using System.Text;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Checks;

public sealed class BulkFaultsOnSqlite(SqliteTestDatabase database) : BulkFaultTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class BulkFaultsOnPostgres(PostgresTestDatabase database) : BulkFaultTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>
/// An unreadable item of a bulk post is rejected alone, and a bulk post has the same result as single posts in the same
/// order.
/// </summary>
public abstract class BulkFaultTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Path = "/api/v1/checks/results";

    public static TheoryData<string, string> Faults => new()
    {
        { "\"message\":\"\\ud800\"", "malformed" },
        { "\"message\":\"\\udc00\\ud800\"", "malformed" },
        { "\"\\ud800\":1", "malformed" },
        { "\"message\":\"\u00ff\"", "malformed" }, // sent as byte 0xFF, which is invalid UTF-8
        { "\"observed_value\":NaN", "malformed" },
        { "\"observed_value\":[1,{\"a\":-Infinity}]", "malformed" },
        { "\"metadata\":" + Deep(70), "malformed" },
        { "\"metadata\":{\"a\":\"tab\there\"}", "malformed" },
        { "\"message\":'single'", "malformed" },
        { "\"message\":\"a\\qb\"", "malformed" },
        { "\"failed_rows\":01", "malformed" },
        { "\"failed_rows\":1,", "malformed" },
        { "\"failed_rows\"", "malformed" },
        { "\"failed_rows\":1 // why", "malformed" },
        { "\"status\":\"pass\",\"status\":\"fail\"", "invalid" },
        { "\"message\":\"a\\u0000b\"", "invalid" },
        { "\"dataset\":\"a\\u0000b\"", "invalid" },
        { "\"failed_rows\":1e400", "invalid" },
        { "\"failed_rows\":9223372036854775808", "invalid" },
        { "\"duration_seconds\":1e999", "invalid" },
        { "\"observed_value\":1e400", "invalid" },
        { "\"message\":5", "invalid" },
        { "\"metadata\":[]", "invalid" },
        { "\"executed_at\":\"0001-01-01T00:00:00+14:00\"", "invalid" },
        { "\"colour\":\"red\"", "invalid" },
        { "\"pipeline_id\":\"nobody\"", "pipeline_not_found" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_bad_item_is_rejected_and_the_others_are_stored(string fault, string code)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        var wrapped = fault.Length % 2 == 0;
        var bad = Item("bad", fault);
        var array = $"[{Item("a", "\"message\":\"é, ] \\\" { \\\\\"")},\n {bad} , {Item("c", "\"metadata\":{\"a\":[1,2]}")}]";

        var answer = await Post(wrapped ? $"{{ \"results\" : {array} }}" : array);

        Assert.Equal(207, (int)answer.StatusCode);
        var items = (await answer.Json()).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(["stored", "rejected", "stored"], items.Select(item => item.GetProperty("outcome").GetString()));
        Assert.Equal([null, code, null], items.Select(item => item.GetProperty("code").GetString()));
        Assert.Equal([0, 1, 2], items.Select(item => item.GetProperty("index").GetInt32()));
        Assert.NotEqual("", items[1].GetProperty("reason").GetString());
        Assert.Equal(2, (await Client.GetJson($"{Path}?pipeline_id={Name}")).GetProperty("items").GetArrayLength());
        Assert.Equal("é, ] \" { \\", (await Client.GetJson($"{Path}/{Name}-a")).GetProperty("message").GetString());

        // The same item posted alone is refused with the same code.
        var alone = await (await Post(bad)).Json();
        Assert.Equal(code, alone.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("17")]
    [InlineData("null")]
    [InlineData("\"x\"")]
    [InlineData("[]")]
    [InlineData("true")]
    [InlineData("nul")]
    [InlineData("NaN")]
    [InlineData("\"\\ud800\"")]
    public async Task An_item_that_is_not_an_object_is_rejected_alone(string item)
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });

        var items = (await (await Post($"[{Item("a", "\"status\":\"pass\"", status: false)},{item}]")).Json()).GetProperty("items")
            .EnumerateArray();

        Assert.Equal(["stored", "rejected"], items.Select(receipt => receipt.GetProperty("outcome").GetString()));
    }

    [Theory]
    [InlineData("[{},{]")]
    [InlineData("[{}")]
    [InlineData("[{}] x")]
    [InlineData("[{},,NaN]")]
    [InlineData("[NaN,]")]
    [InlineData("{\"results\":[NaN],\"results\":[]}")]
    [InlineData("{\"results\":[NaN],\"more\":1}")]
    [InlineData("{\"results\":[\"a]}")]
    [InlineData("[NaN}")]
    [InlineData("[{} {}]")]
    [InlineData("[{},{}{},{}]")]
    [InlineData("[{} NaN]")]
    [InlineData("[NaN {}]")]
    [InlineData("[1 2]")]
    [InlineData("[{} \"x\"]")]
    [InlineData("[\"x\" {}]")]
    [InlineData("[\"x\" \"y\"]")]
    [InlineData("[[] {}]")]
    [InlineData("[{}: {}]")]
    [InlineData("{\"results\":[{} {}]}")]
    // Two quotes are missing, so the text between them is read as a string.
    [InlineData("[{\"id\":\"a},{\"id\":b\"},{\"id\":\"c\"}]")]
    [InlineData("[{\"id\":\"a,\"n\":1},{\"id\":\"b,\"n\":1},{\"id\":\"c\"}]")]
    public async Task A_body_whose_items_cannot_be_separated_is_refused(string body) => await (await Post(body)).Problem(400, "malformed");

    [Fact]
    public async Task Too_many_items_are_413_even_if_one_is_unreadable() =>
        await (await Post($"[{string.Join(',', Enumerable.Repeat("{}", 1000))},NaN]")).Problem(413, "too_large");

    [Fact]
    public async Task A_keyed_bulk_post_with_a_bad_item_is_stored_once_and_another_body_is_422()
    {
        await Client.PostJson("/api/v1/pipelines/", new { name = Name });
        var body = $$"""[{"pipeline_id":"{{Name}}","check_id":"c","status":"pass"},{"message":"\ud800"},{"pipeline_id":"{{Name}}","check_id":"d","status":"pass"}]""";

        foreach (var outcome in new[] { "stored", "duplicate" })
        {
            var items = (await (await Send(HttpMethod.Post, Path, body, ("Idempotency-Key", Name))).Json()).GetProperty("items")
                .EnumerateArray();
            Assert.Equal([outcome, "rejected", outcome], items.Select(item => item.GetProperty("outcome").GetString()));
        }

        await (await Send(HttpMethod.Post, Path, body.Replace("ud800", "ud801", StringComparison.Ordinal), ("Idempotency-Key", Name)))
            .Problem(422, "idempotency_key_reused");
    }

    [Fact]
    public async Task A_bulk_post_has_the_same_outcomes_as_single_posts()
    {
        string[] pipelines = [Name + "-a", Name + "-b"];
        await Client.PostJson("/api/v1/pipelines/", pipelines.Select(name => new { name }));
        var random = new Random(20261126);
        for (var round = 0; round < 40; round++)
        {
            // There are few ids, runs and pipelines, so that items collide. Some ids are repeated, and one pipeline is
            // unknown.
            var items = Enumerable.Range(0, 6)
                .Select(_ =>
                    (Id: random.Next(5), Pipeline: random.Next(7), Run: random.Next(3), Fails: random.Next(3) == 0,
                        Warns: random.Next(4) == 0, Minute: random.Next(3))).ToList();
            string Body(string prefix, int i) => JsonSerializer.Serialize(new
            {
                id = $"{Name}-{prefix}{round}-{items[i].Id}",
                pipeline_id = items[i].Pipeline == 6 ? "nobody" : pipelines[items[i].Pipeline % 2],
                check_id = "c",
                run_id = items[i].Run == 0 ? null : $"{Name}-{prefix}{round}-r{items[i].Run}",
                status = items[i].Fails ? "fail" : "pass",
                severity = items[i].Warns ? "warn" : "error",
                executed_at = $"2026-01-01T00:0{items[i].Minute}:00Z",
            });

            List<string?> alone = [];
            for (var i = 0; i < items.Count; i++)
            {
                var answer = await (await Post(Body("s", i))).Json();
                alone.Add(answer.TryGetProperty("outcome", out var outcome) ? outcome.GetString() : answer.GetProperty("code").GetString());
            }

            var together = (await (await Post($"[{string.Join(',', items.Select((_, i) => Body("m", i)))}]")).Json()).GetProperty("items")
                .EnumerateArray()
                .Select(item => item.GetProperty("outcome").GetString() is "rejected"
                    ? item.GetProperty("code").GetString() : item.GetProperty("outcome").GetString());

            Assert.True(
                alone.SequenceEqual(together),
                $"{JsonSerializer.Serialize(items.Select((_, i) => Body("s", i)))}\nalone: {string.Join(' ', alone)}\ntogether: "
                    + $"{string.Join(' ', together)}");
            foreach (var run in new[] { 1, 2 })
            {
                Assert.Equal(await Run($"{Name}-s{round}-r{run}"), await Run($"{Name}-m{round}-r{run}"));
            }
        }
    }

    [Fact]
    public async Task A_later_failure_of_another_pipeline_does_not_reject_an_earlier_result()
    {
        await Client.PostJson("/api/v1/pipelines/", new[] { new { name = Name }, new { name = Name + "-other" } });
        var earlier = $$"""{"pipeline_id":"{{Name}}","check_id":"c","status":"pass","run_id":"{{Name}}"}""";
        var later = $$"""{"pipeline_id":"{{Name}}-other","check_id":"c","status":"fail","run_id":"{{Name}}"}""";

        var items = (await (await Post($"[{earlier},{later},{earlier}]")).Json()).GetProperty("items").EnumerateArray().ToList();

        Assert.Equal(["stored", "stored", "rejected"], items.Select(item => item.GetProperty("outcome").GetString()));
        Assert.Equal("run_id_taken", items[2].GetProperty("code").GetString());
        Assert.Equal(Name + "-other", (await Client.GetJson($"/api/v1/runs/{Name}")).GetProperty("pipeline_id").GetString());
    }

    private static string Deep(int depth) => string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);

    private async Task<string> Run(string id)
    {
        var run = await (await Client.GetAsync($"/api/v1/runs/{id}", Ct)).Json();
        return run.TryGetProperty("pipeline_id", out var pipeline)
            ? $"{pipeline} {run.GetProperty("status")} {run.GetProperty("checks").GetRawText()}" : "none";
    }

    private string Item(string id, string fields, bool status = true) =>
        $$"""{"id":"{{Name}}-{{id}}"{{(fields.Contains("\"pipeline_id\"", StringComparison.Ordinal) ? "" : $",\"pipeline_id\":\"{Name}\"")}},"check_id":"c"{{(status && !fields.Contains("\"status\"", StringComparison.Ordinal) ? ",\"status\":\"pass\"" : "")}},{{fields}}}""";

    // Replaces ÿ with byte 0xFF, which is invalid UTF-8.
    private async Task<HttpResponseMessage> Post(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body).ToList();
        for (var i = 0; i + 1 < bytes.Count; i++)
        {
            if (bytes[i] == 0xc3 && bytes[i + 1] == 0xbf)
            {
                bytes.RemoveAt(i);
                bytes[i] = 0xff;
            }
        }

        using var content = new ByteArrayContent([.. bytes]);
        content.Headers.ContentType = new("application/json");
        return await Client.PostAsync(Path, content, Ct);
    }
}
