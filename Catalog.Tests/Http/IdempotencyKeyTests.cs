using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.Http;

[Trait("Category", "Fast")]
public sealed class IdempotencyKeysOnSqlite(SqliteTestDatabase database) : IdempotencyKeyTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class IdempotencyKeysOnPostgres(PostgresTestDatabase database)
    : IdempotencyKeyTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>A request that is repeated with its Idempotency-Key has one effect.</summary>
public abstract class IdempotencyKeyTests(TestDatabase database) : EndpointTestBase(database)
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

    private Task<HttpResponseMessage> Register() => Client.PostJson("/api/v1/pipelines/", new { name = Name });
}
