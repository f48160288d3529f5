using Catalog.Tests.Support;

namespace Catalog.Tests.Organizations;

[Trait("Category", "Fast")]
public sealed class AuditOnSqlite(SqliteTestDatabase database) : AuditTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class AuditOnPostgres(PostgresTestDatabase database) : AuditTests(database), IClassFixture<PostgresTestDatabase>;

public abstract class AuditTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Log = "/api/v1/organizations/me/audit-log";

    [Fact]
    public async Task The_audit_log_contains_actor_action_and_object()
    {
        using var client = await App.Organization(Name, "team");
        var actor = client.DefaultRequestHeaders.GetValues("X-API-KEY").Single().Substring(4, 12);
        var connection = new { id = "c", type = "bigquery", config = new { project = "p" } };
        await client.PostJson("/api/v1/connections/", connection);
        await client.PostJson("/api/v1/connections/", connection);
        await client.PutAsync("/api/v1/connections/c",
            new StringContent("""{"type":"bigquery","config":{"project":"q"}}""", System.Text.Encoding.UTF8, "application/json"), Ct);
        await client.DeleteAsync("/api/v1/connections/c", Ct);
        await client.DeleteAsync("/api/v1/connections/c", Ct);
        await client.PostJson("/api/v1/pipelines/", new { name = "p" });
        await client.DeleteAsync("/api/v1/pipelines/p", Ct);
        await client.PostJson("/api/v1/checks/", new { id = "k", dataset = "d", kind = "sql", severity = "warn" });
        await client.DeleteAsync("/api/v1/checks/k", Ct);
        var key = (await (await client.PostJson("/api/v1/organizations/me/api-keys", new { name = "n" })).Json()).GetProperty("id")
            .GetString();
        await client.PostAsync($"/api/v1/organizations/me/api-keys/{key}/rotate", null, Ct);
        await client.DeleteAsync($"/api/v1/organizations/me/api-keys/{key}", Ct);
        await Send(HttpMethod.Patch, $"/api/v1/organizations/{Name}", """{"plan":"business"}""");

        var entries = (await client.GetJson($"{Log}?limit=500")).GetProperty("items").EnumerateArray()
            .Select(entry =>
                $"{entry.GetProperty("actor").GetString()} {entry.GetProperty("action").GetString()} "
                    + $"{entry.GetProperty("object_id").GetString()}").Reverse();

        Assert.Equal(
        [
            $"platform-key organization.created {Name}",
            $"{actor} connection.created c",
            $"{actor} connection.changed c",
            $"{actor} connection.deleted c",
            $"{actor} pipeline.deleted p",
            $"{actor} check.deleted k",
            $"{actor} api_key.created {key}",
            $"{actor} api_key.rotated {key}",
            $"{actor} api_key.revoked {key}",
            $"platform-key organization.changed {Name}",
        ], entries);
    }

    [Fact]
    public async Task The_audit_log_can_be_paged_and_filtered()
    {
        using var client = await App.Organization(Name, "team");
        foreach (var i in Enumerable.Range(0, 5))
        {
            await client.PostJson("/api/v1/organizations/me/api-keys", new { name = $"k{i}" });
        }

        var first = await client.GetJson($"{Log}?limit=4");
        var second = await client.GetJson($"{Log}?limit=4&cursor={first.GetProperty("next_cursor").GetString()}");

        Assert.Equal((4, 2), (first.GetProperty("items").GetArrayLength(), second.GetProperty("items").GetArrayLength()));
        Assert.Equal(5, (await client.GetJson($"{Log}?action=api_key.created")).GetProperty("items").GetArrayLength());
        Assert.Equal(1, (await client.GetJson($"{Log}?actor=platform-key")).GetProperty("items").GetArrayLength());
        Assert.Equal(0, (await client.GetJson($"{Log}?until=2020-01-01")).GetProperty("items").GetArrayLength());
        var reader = (await (await client.PostJson("/api/v1/organizations/me/api-keys", new { name = "r" })).Json()).GetProperty("key")
            .GetString()!;
        using var reading = App.With(reader);
        await (await reading.GetAsync(Log, Ct)).Problem(403, "forbidden");
    }
}
