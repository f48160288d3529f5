using System.IO.Compression;
using System.Net;
using System.Text;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Http;

[Trait("Category", "Fast")]
public sealed class HttpFeaturesOnSqlite(SqliteTestDatabase database) : HttpFeatureTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class HttpFeaturesOnPostgres(PostgresTestDatabase database) : HttpFeatureTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>HTTP features outside the bodies: idempotent retries, entity tags, compression and request ids.</summary>
public abstract class HttpFeatureTests(TestDatabase database) : EndpointTests(database, ("DATAXPIPE_DB_ECHO", "true"))
{
    private const string Results = "/api/v1/checks/results";

    [Fact]
    [Trait("Fault", "F22")]
    public async Task A_keyed_result_is_stored_once_by_fifty_clients_and_another_body_is_422()
    {
        await Register();
        var body = $$"""{"pipeline_id":"{{Name}}","check_id":"c","status":"pass"}""";

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => Send(HttpMethod.Post, Results, body, ("Idempotency-Key", Name))));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.All(answers, answer => Assert.True((int)answer.StatusCode is 200 or 201));
        Assert.Equal(1, (await Client.GetJson($"{Results}?pipeline_id={Name}")).GetProperty("items").GetArrayLength());
        await (await Send(HttpMethod.Post, Results, body.Replace("pass", "fail"), ("Idempotency-Key", Name)))
            .Problem(422, "idempotency_key_reused");
        Assert.Equal(HttpStatusCode.Created, (await Send(HttpMethod.Post, Results, body, ("Idempotency-Key", Name + "2"))).StatusCode);
    }

    [Fact]
    public async Task A_keyed_bulk_post_is_stored_once_and_another_body_is_422()
    {
        await Register();
        var result = $$"""{"pipeline_id":"{{Name}}","check_id":"c","status":"pass"}""";

        Assert.Equal(HttpStatusCode.Created, (await Send(HttpMethod.Post, Results, $"[{result},{result}]", ("Idempotency-Key", Name)))
            .StatusCode);
        var repeated = await (await Send(HttpMethod.Post, Results, $"[{result},{result}]", ("Idempotency-Key", Name))).Json();
        Assert.All(repeated.GetProperty("items").EnumerateArray(), item =>
            Assert.Equal("duplicate", item.GetProperty("outcome").GetString()));
        await (await Send(HttpMethod.Post, Results, $"[{result}]", ("Idempotency-Key", Name))).Problem(422, "idempotency_key_reused");
        await (await Send(HttpMethod.Post, Results, $"[{result},{result},{result}]", ("Idempotency-Key", Name)))
            .Problem(422, "idempotency_key_reused");
        var own = result.Replace("{", $"{{\"id\":\"{Name}-own\",", StringComparison.Ordinal);
        await (await Send(HttpMethod.Post, Results, $"[{own},{result}]", ("Idempotency-Key", Name))).Problem(422, "idempotency_key_reused");
        Assert.Equal(2, (await Client.GetJson($"{Results}?pipeline_id={Name}")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    [Trait("Fault", "F22")]
    public async Task Of_concurrent_bodies_with_one_key_exactly_one_is_stored_completely()
    {
        await Register();
        string One(int i) => $$"""{"pipeline_id":"{{Name}}","check_id":"c","status":"pass","message":"{{i}}"}""";

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 8)
                .Select(i =>
                    Send(HttpMethod.Post, Results, $"[{string.Join(',', Enumerable.Range(0, i + 1).Select(_ => One(i)))}]",
                        ("Idempotency-Key", Name))));

        var winner = Array.FindIndex(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.Equal(7, answers.Count(answer => (int)answer.StatusCode == 422));
        var stored = (await Client.GetJson($"{Results}?pipeline_id={Name}")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(winner + 1, stored.Count);
        Assert.All(stored, item => Assert.Equal($"{winner}", item.GetProperty("message").GetString()));
    }

    [Fact]
    public async Task A_keyed_run_is_created_once_and_another_body_is_422()
    {
        await Register();
        var body = $$"""{"pipeline_id":"{{Name}}","status":"running"}""";

        var first = await Send(HttpMethod.Post, "/api/v1/runs/", body, ("Idempotency-Key", Name));
        var repeated = await Send(HttpMethod.Post, "/api/v1/runs/", body, ("Idempotency-Key", Name));

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (first.StatusCode, repeated.StatusCode));
        Assert.Equal((await first.Json()).GetProperty("id").GetString(), (await repeated.Json()).GetProperty("id").GetString());
        await (await Send(HttpMethod.Post, "/api/v1/runs/", body.Replace("running", "failed"), ("Idempotency-Key", Name)))
            .Problem(422, "idempotency_key_reused");
        await (await Send(HttpMethod.Post, "/api/v1/runs/", body, ("Idempotency-Key", new string('k', 256)))).Problem(422, "invalid");
        Assert.Equal(1, (await Client.GetJson($"/api/v1/runs/?pipeline_id={Name}")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task Single_reads_have_an_ETag_that_changes_with_the_content()
    {
        await Register();
        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = "completed" });
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "x" });
        await Client.PostJson(
            "/api/v1/checks/results", new { id = Name, pipeline_id = Name, check_id = Name, status = "pass", dataset = $"{Name}.a" });
        foreach (var path in new[] { "pipelines", "runs", "checks", "checks/results" })
        {
            var tag = (await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}")).Headers.ETag!.ToString();

            var same = await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}", null, ("If-None-Match", tag));
            Assert.Equal((HttpStatusCode.NotModified, 0), (same.StatusCode, (await same.Content.ReadAsByteArrayAsync(Ct)).Length));
            Assert.Equal(tag, same.Headers.ETag!.ToString());
            Assert.Equal(HttpStatusCode.NotModified,
                (await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}", null, ("If-None-Match", $"\"x\", W/{tag}"))).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}", null, ("If-None-Match", "\"x\"")))
                .StatusCode);
        }

        var before = (await Send(HttpMethod.Get, $"/api/v1/runs/{Name}")).Headers.ETag!.ToString();
        await Client.PostJson(Results, new { pipeline_id = Name, check_id = "c", run_id = Name, status = "pass" });
        Assert.NotEqual(before, (await Send(HttpMethod.Get, $"/api/v1/runs/{Name}")).Headers.ETag!.ToString());
    }

    [Fact]
    public async Task If_Match_lets_one_of_two_writers_win()
    {
        await Register();
        await Client.PostJson("/api/v1/checks/", new { id = Name, kind = "x" });
        await Client.PostJson("/api/v1/connections/", new { id = Name, type = "postgres", config = new { host = "h" } });
        foreach (var (path, body) in new[] {
            ("checks", """{"kind":"y"}"""), ("connections", """{"type":"postgres","config":{"host":"h2"}}""") })
        {
            var tag = (await Send(HttpMethod.Get, $"/api/v1/{path}/{Name}")).Headers.ETag!.ToString();

            Assert.Equal(HttpStatusCode.OK, (await Send(HttpMethod.Put, $"/api/v1/{path}/{Name}", body, ("If-Match", tag))).StatusCode);
            await (await Send(HttpMethod.Put, $"/api/v1/{path}/{Name}", body, ("If-Match", tag))).Problem(412, "precondition_failed");
            await (await Send(HttpMethod.Delete, $"/api/v1/{path}/{Name}", null, ("If-Match", tag))).Problem(412, "precondition_failed");
            Assert.Equal(HttpStatusCode.NoContent, (await Send(HttpMethod.Delete, $"/api/v1/{path}/{Name}", null, ("If-Match", "*")))
                .StatusCode);
        }

        await Client.PostJson("/api/v1/runs/", new { id = Name, pipeline_id = Name, status = "running" });
        await (await Send(HttpMethod.Put, $"/api/v1/runs/{Name}/stages/a", """{"status":"failed"}""", ("If-Match", "\"old\"")))
            .Problem(412, "precondition_failed");
        await (await Send(HttpMethod.Delete, $"/api/v1/pipelines/{Name}", null, ("If-Match", "\"old\"")))
            .Problem(412, "precondition_failed");
        var weak = "W/" + (await Send(HttpMethod.Get, $"/api/v1/pipelines/{Name}")).Headers.ETag;
        await (await Send(HttpMethod.Delete, $"/api/v1/pipelines/{Name}", null, ("If-Match", weak))).Problem(412, "precondition_failed");
        await (await Send(HttpMethod.Patch, $"/api/v1/runs/{Name}", """{"status":"failed"}""", ("If-Match", "\"old\"")))
            .Problem(412, "precondition_failed");
        Assert.Equal("running", (await Client.GetJson($"/api/v1/runs/{Name}")).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Bodies_may_be_compressed(string encoding)
    {
        var answer = await Compressed(encoding, encoding, Encoding.UTF8.GetBytes($$"""{"name":"{{Name}}"}"""));

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Fact]
    public async Task A_body_that_does_not_match_its_Content_Encoding_is_refused()
    {
        foreach (var encoding in new[] { "gzip", "br", "deflate" })
        {
            await (await Compressed("none", encoding, "{\"name\":\"not compressed\"}"u8.ToArray())).Problem(400, "malformed");
        }

        await (await Compressed("none", "compress", "{}"u8.ToArray())).Problem(415, "unsupported_content_encoding");
        await (await Compressed("gzip", "gzip, gzip", "{}"u8.ToArray())).Problem(415, "unsupported_content_encoding");
    }

    [Fact]
    [Trait("Fault", "F25")]
    public async Task A_decompression_bomb_is_refused_at_the_limit() =>
        await (await Compressed("gzip", "gzip", new byte[200 * 1024 * 1024])).Problem(413, "too_large");

    [Fact]
    public async Task Answers_have_a_request_id_and_problems_the_trace_of_the_caller()
    {
        Assert.Equal(
            "mine-1", Assert.Single((await Send(HttpMethod.Get, "/health", null, ("X-Request-Id", "mine-1")))
                .Headers.GetValues("X-Request-Id")));
        var odd = Assert.Single((await Send(HttpMethod.Get, "/health", null, ("X-Request-Id", "a b<script>")))
            .Headers.GetValues("X-Request-Id"));
        Assert.DoesNotContain("script", odd);
        var problem = await (
            await Send(HttpMethod.Get, "/nothing", null, ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")))
                .Problem(404, "not_found");
        Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", problem.GetProperty("trace_id").GetString());
    }

    [Fact]
    public async Task Echo_logs_statements_with_their_duration_and_without_values()
    {
        await Register();

        var lines = App.Log.At(LogLevel.Information).ToList();
        Assert.Contains(lines, line => line.Contains(" ms: -- PipelineRegistration.Lock", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains(Name, StringComparison.Ordinal));
    }

    private async Task<HttpResponseMessage> Compressed(string actual, string declared, byte[] body)
    {
        using var buffer = new MemoryStream();
        await using (Stream stream = actual switch
        {
            "gzip" => new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true),
            "br" => new BrotliStream(buffer, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(buffer, CompressionLevel.Fastest, leaveOpen: true),
            _ => new BufferedStream(new MemoryStream()),
        })
        {
            await stream.WriteAsync(body, Ct);
        }

        using var content = new ByteArrayContent(actual == "none" ? body : buffer.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        content.Headers.TryAddWithoutValidation("Content-Encoding", declared);
        return await Client.PostAsync("/api/v1/pipelines/", content, Ct);
    }

    private Task<HttpResponseMessage> Register() => Client.PostJson("/api/v1/pipelines/", new { name = Name });
}
