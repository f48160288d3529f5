using System.Diagnostics;
using Catalog.Data.Organizations;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Organizations;

public sealed class PlansOnSqlite(SqliteTestDatabase database) : PlanTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class PlansOnPostgres(PostgresTestDatabase database) : PlanTests(database), IClassFixture<PostgresTestDatabase>;

public abstract class PlanTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task An_organization_is_registered_once()
    {
        var body = new { id = Name, name = "Acme", plan = "team" };

        var first = await Client.PostJson("/api/v1/organizations/", body);
        var second = await Client.PostJson("/api/v1/organizations/", body);

        Assert.Equal((201, 200), ((int)first.StatusCode, (int)second.StatusCode));
        Assert.Equal(["read", "write", "manage", "execute"], (await first.Json()).GetProperty("api_key").GetProperty("scopes")
            .EnumerateArray().Select(scope => scope.GetString()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, (await second.Json()).GetProperty("api_key").ValueKind);
        await (await Client.PostJson("/api/v1/organizations/", new { id = Name, name = "Other" })).Problem(409, "id_taken");
        await (await Client.PostJson("/api/v1/organizations/", new { id = "default", name = "Mine" })).Problem(409, "id_taken");
        await (await Send(HttpMethod.Patch, "/api/v1/organizations/default", """{"plan":"free"}""")).Problem(409, "default_organization");
    }

    [Theory]
    [InlineData("""{"id":"me","name":"x"}""")]
    [InlineData("""{"id":"ME","name":"x"}""")]
    [InlineData("""{"id":"","name":"x"}""")]
    [InlineData("""{"id":"a/b","name":"x"}""")]
    [InlineData("""{"id":"-a","name":"x"}""")]
    [InlineData("""{"id":"a b","name":"x"}""")]
    [InlineData("""{"id":"ä","name":"x"}""")]
    [InlineData("""{"id":"a\n","name":"x"}""")]
    [InlineData("""{"id":"a\u0000","name":"x"}""")]
    [InlineData("""{"id":"x","name":"x","plan":"gold"}""")]
    [InlineData("""{"id":"x","name":"x","stripe_customer_id":"cus_1"}""")]
    [InlineData("""{"id":"x"}""")]
    public async Task An_invalid_organization_is_refused(string body) =>
        await (await Send(HttpMethod.Post, "/api/v1/organizations/", body)).Problem(422, "invalid");

    [Fact]
    public async Task Fifty_concurrent_registrations_stay_within_the_ceiling()
    {
        using var client = await App.Organization(Name, "free");

        var pipelines = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(i => client.PostJson("/api/v1/pipelines/", new { name = $"p{i}" })));
        var connections = await Task.WhenAll(Enumerable.Range(0, 10)
            .Select(i => client.PostJson("/api/v1/connections/", new { id = $"c{i}", type = "bigquery", config = new { project = "p" } })));

        Assert.Equal(3, pipelines.Count(answer => (int)answer.StatusCode == 201));
        Assert.Equal(2, connections.Count(answer => (int)answer.StatusCode == 201));
        foreach (var refused in pipelines.Concat(connections).Where(answer => (int)answer.StatusCode != 201))
        {
            Assert.Equal("team", (await refused.Problem(403, "plan_limit_reached")).GetProperty("plan").GetString());
        }

        var me = await client.GetJson("/api/v1/organizations/me");
        Assert.Equal(
            (3, 2), (me.GetProperty("usage").GetProperty("pipelines").GetInt32(), me.GetProperty("usage").GetProperty("connections")
                .GetInt32()));
        Assert.Equal(
            (3, 2, 100), (me.GetProperty("ceilings").GetProperty("pipelines").GetInt32(), me.GetProperty("ceilings")
                .GetProperty("connections").GetInt32(), me.GetProperty("ceilings").GetProperty("requests_per_minute").GetInt32()));
        Assert.InRange(me.GetProperty("usage").GetProperty("requests_left").GetInt32(), 40, 60);
    }

    [Fact]
    public async Task A_bulk_registration_is_checked_as_a_whole_and_the_error_names_a_sufficient_plan()
    {
        using var client = await App.Organization(Name, "free");
        object[] Many(int count) => [.. Enumerable.Range(0, count).Select(i => new { name = $"p{i}" })];

        Assert.Equal("team", (await (await client.PostJson("/api/v1/pipelines/", Many(4))).Problem(403, "plan_limit_reached"))
            .GetProperty("plan").GetString());
        Assert.Equal("business", (await (await client.PostJson("/api/v1/pipelines/", Many(26))).Problem(403, "plan_limit_reached"))
            .GetProperty("plan").GetString());
        Assert.Equal(0, (await client.GetJson("/api/v1/pipelines/")).GetProperty("items").GetArrayLength());
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", Many(3))).StatusCode);
        Assert.Equal(200, (int)(await client.PostJson("/api/v1/pipelines/", Many(3))).StatusCode);
    }

    [Fact]
    public async Task A_downgrade_deletes_nothing_and_deleting_makes_room()
    {
        using var client = await App.Organization(Name, "team");
        await client.PostJson("/api/v1/pipelines/", Enumerable.Range(0, 5).Select(i => new { name = $"p{i}" }));

        Assert.Equal(200, (int)(await Send(HttpMethod.Patch, $"/api/v1/organizations/{Name}", """{"plan":"free"}""")).StatusCode);

        Assert.Equal(5, (await client.GetJson("/api/v1/pipelines/")).GetProperty("items").GetArrayLength());
        Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "p0", version = "2" })).StatusCode);
        await (await client.PostJson("/api/v1/pipelines/", new { name = "p9" })).Problem(403, "plan_limit_reached");
        foreach (var deleted in new[] { "p0", "p1", "p2" })
        {
            Assert.Equal(204, (int)(await client.DeleteAsync($"/api/v1/pipelines/{deleted}", Ct)).StatusCode);
        }

        Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "p0" })).StatusCode);
        await (await client.PostJson("/api/v1/pipelines/", new { name = "p1" })).Problem(403, "plan_limit_reached");
    }

    [Fact]
    public async Task The_requests_of_one_minute_are_allowed_and_the_next_is_429()
    {
        using var client = await App.Organization(Name, "free");

        var start = Stopwatch.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, 130).Select(_ => client.GetAsync("/api/v1/runs/?limit=1", Ct)));
        var refilled = (int)Math.Ceiling(Stopwatch.GetElapsedTime(start).TotalMinutes * 100);

        Assert.InRange(answers.Count(answer => (int)answer.StatusCode == 200), 100, 101 + refilled);
        var refused = answers.First(answer => (int)answer.StatusCode == 429);
        await refused.Problem(429, "rate_limited");
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Equal(("100", "0"), (refused.Headers.GetValues("RateLimit-Limit").Single(), refused.Headers.GetValues("RateLimit-Remaining")
            .Single()));
        Assert.InRange(int.Parse(refused.Headers.GetValues("RateLimit-Reset").Single(), System.Globalization.CultureInfo.InvariantCulture),
            50, 61);
        Assert.Equal(200, (int)(await client.GetAsync("/ready", Ct)).StatusCode);
        Assert.Equal(200, (int)(await Client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
    }

    [Fact]
    public async Task Requests_on_one_replica_count_on_the_other()
    {
        using var client = await App.Organization(Name, "free");
        using var other = new CatalogApp(Database);
        using var otherClient = other.With(client.DefaultRequestHeaders.GetValues("X-API-KEY").Single());
        Assert.Equal(200, (int)(await otherClient.GetAsync("/api/v1/runs/", Ct)).StatusCode);

        await Task.WhenAll(Enumerable.Range(0, 110).Select(_ => client.GetAsync("/api/v1/runs/?limit=1", Ct)));

        var passed = 1;
        var until = Environment.TickCount64 + 10_000;
        while ((int)(await otherClient.GetAsync("/api/v1/runs/?limit=1", Ct)).StatusCode == 200)
        {
            passed++;
            Assert.True(Environment.TickCount64 < until, $"The other replica allowed {passed} requests. Warnings: "
                + string.Join('\n', App.Log.At(LogLevel.Warning).Concat(other.Log.At(LogLevel.Warning))));
            await Task.Delay(100, Ct);
        }

        // The other replica allows the requests that are refilled over time, and requests before the replicas exchange
        // their counts.
        Assert.InRange(passed, 1, 40);
    }

    [Fact]
    public async Task A_new_replica_starts_with_the_remaining_budget_of_the_others()
    {
        using var client = await App.Organization(Name, "free");
        await Task.WhenAll(Enumerable.Range(0, 110).Select(_ => client.GetAsync("/api/v1/runs/?limit=1", Ct)));
        await Task.Delay(2500, Ct);

        using var other = new CatalogApp(Database);
        using var otherClient = other.With(client.DefaultRequestHeaders.GetValues("X-API-KEY").Single());
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => otherClient.GetAsync("/api/v1/runs/?limit=1", Ct)));

        // The budget refills during the delay and the requests, so some requests are allowed.
        Assert.InRange(answers.Count(answer => (int)answer.StatusCode == 200), 0, 30);
        var missing = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => otherClient.GetAsync("/api/v1/nothing-here", Ct)));
        Assert.Contains(missing, answer => (int)answer.StatusCode == 429);
    }

    [Fact]
    public void Registrations_lock_every_plan_with_a_ceiling() =>
        Assert.Equal(["free", "team"], Plan.All.Where(plan => plan.Pipelines is not null || plan.Connections is not null)
            .Select(plan => plan.Name));
}
