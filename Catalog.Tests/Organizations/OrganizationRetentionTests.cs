using System.Text.Json;
using Catalog.Data.Migrations;
using Catalog.Migrations.Retention;
using Catalog.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Organizations;

[Trait("Category", "Fast")]
public sealed class OrganizationRetentionOnSqlite(SqliteTestDatabase database)
    : OrganizationRetentionTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class OrganizationRetentionOnPostgres(PostgresTestDatabase database)
    : OrganizationRetentionTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>
/// Retention settings of an organization over HTTP. Their effect on removal: <see cref="Retention.RemovalRuleTests"/>.
/// </summary>
public abstract class OrganizationRetentionTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Mine = "/api/v1/organizations/me";

    [Fact]
    public async Task The_organization_and_the_operator_replace_retention_and_the_audit_log_records_it()
    {
        using var client = await App.Organization(Name);
        Assert.Equal((null, null, null), Days(await client.GetJson(Mine)));

        var own = await Put(client, $"{Mine}/retention", """{"runs_kept_days":1,"results_kept_days":36500}""");
        Assert.Equal((1, 36500, null), Days(await own.Json()));
        Assert.Equal((1, 36500, null), Days(await client.GetJson(Mine)));
        var operators = await Put(Client, $"/api/v1/organizations/{Name}/retention", """{"runs_kept_days":null,"events_kept_days":7}""");
        Assert.Equal((null, null, 7), Days(await operators.Json()));
        Assert.Equal((null, null, 7), Days(await Client.GetJson($"/api/v1/organizations/{Name}")));

        var log = (await client.GetJson($"{Mine}/audit-log?action=organization.changed")).GetProperty("items").EnumerateArray()
            .Select(entry => (entry.GetProperty("actor").GetString(), entry.GetProperty("detail").GetRawText())).ToList();
        Assert.Equal(
            [
                ("platform-key", """{"runs_kept_days":null,"results_kept_days":null,"events_kept_days":7}"""),
                (client.DefaultRequestHeaders.GetValues("X-API-KEY").Single().Substring(4, 12),
                    """{"runs_kept_days":1,"results_kept_days":36500,"events_kept_days":null}"""),
            ], log);
    }

    [Fact]
    public async Task Invalid_days_are_refused_with_the_field_name()
    {
        foreach (var (field, days) in new[] { ("runs_kept_days", "0"), ("results_kept_days", "-1"), ("events_kept_days", "36501"),
            ("events_kept_days", "1.5"), ("runs_kept_days", "\"30\""), ("runs_days", "30") })
        {
            var refused = await (await Put(Client, $"{Mine}/retention", $$"""{"{{field}}":{{days}}}""")).Problem(422, "invalid");

            Assert.Equal([$"/{field}"], refused.GetProperty("errors").EnumerateObject().Select(error => error.Name));
        }
    }

    [Fact]
    public async Task Another_organization_or_a_key_without_the_manage_scope_cannot_change_retention()
    {
        using var theirs = await App.Organization($"b{Name}");
        using var ours = await App.Organization($"a{Name}");
        await Put(theirs, $"{Mine}/retention", """{"runs_kept_days":5}""");

        await Put(ours, $"{Mine}/retention", """{"runs_kept_days":9}""");
        var (their, no) = (await Put(ours, $"/api/v1/organizations/b{Name}/retention", "{}"),
            await Put(ours, $"/api/v1/organizations/c{Name}/retention", "{}"));
        Assert.Equal((await their.Problem(403, "forbidden")).GetProperty("detail").GetString(), (await no.Problem(403, "forbidden"))
            .GetProperty("detail").GetString());
        using var reader = App.With((await (await theirs.PostJson($"{Mine}/api-keys", new { name = "r" })).Json()).GetProperty("key")
            .GetString()!);
        await (await Put(reader, $"{Mine}/retention", "{}")).Problem(403, "forbidden");

        Assert.Equal(((5, null, null), (9, null, null)), (Days(await theirs.GetJson(Mine)), Days(await ours.GetJson(Mine))));
        await (await Put(Client, $"/api/v1/organizations/c{Name}/retention", "{}")).Problem(404, "not_found");
        await (await Put(Client, "/api/v1/organizations/default/retention", "{}")).Problem(409, "default_organization");
        await (await Put(Client, $"{Mine}/retention", "{}")).Problem(409, "default_organization");
    }

    [Fact]
    public async Task Removal_uses_the_retention_of_the_organization()
    {
        using var client = await App.Organization(Name);
        await client.PostJson("/api/v1/pipelines/", new { name = "p" });
        await client.PostJson("/api/v1/runs/", new { id = "r", pipeline_id = "p", status = "completed" });
        await Put(client, $"{Mine}/retention", """{"runs_kept_days":7}""");

        await using var migrations = MigrationDatabase.Open(Database.Settings);
        async Task<int> InDays(int days)
        {
            var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(days));
            return (await new OldDataRemoval(migrations, new(null, null, null), clock)
                .Count(RemovalScope.All with { Organization = Name }, Ct))
                .Items.Count;
        }

        Assert.Equal((0, 1), (await InDays(6), await InDays(8)));
    }

    private static async Task<HttpResponseMessage> Put(HttpClient client, string path, string json)
    {
        using var body = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        return await client.PutAsync(path, body, Ct);
    }

    private static (long?, long?, long?) Days(JsonElement organization)
    {
        var retention = organization.GetProperty("retention");
        long? Of(string field) => retention.GetProperty(field) is { ValueKind: JsonValueKind.Number } days ? days.GetInt64() : null;
        return (Of("runs_kept_days"), Of("results_kept_days"), Of("events_kept_days"));
    }
}
