using System.Globalization;
using Catalog.Tests.Support;

namespace Catalog.Tests.Overview;

[Trait("Category", "Fast")]
public sealed class OverviewOnSqlite(SqliteTestDatabase database) : OverviewTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class OverviewOnPostgres(PostgresTestDatabase database) : OverviewTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>What needs attention now. The numbers equal those of the lists with the same filter.</summary>
public abstract class OverviewTests(TestDatabase database) : EndpointTestBase(database)
{
    [Fact]
    public async Task The_overview_counts_what_the_lists_list()
    {
        using var client = await App.Organization(Name);
        var now = DateTimeOffset.UtcNow;
        await client.PostJson("/api/v1/pipelines/", new { name = "p", schedule = "* * * * *" });
        foreach (var (id, status, start, end) in new (string, string, double, double?)[]
        {
            ("new", "failed", -2, -1), ("long", "failed", -50, -1.001), ("old", "failed", -50, -49), ("good", "completed", -4, -3),
            ("goes", "running", -100, null), ("skipped", "skipped", -1.5, -1),
        })
        {
            await client.PostJson("/api/v1/runs/", new
            {
                id,
                pipeline_id = "p",
                status,
                started_at = now.AddHours(start),
                completed_at = end is null ? (DateTimeOffset?)null : now.AddHours(end.Value),
            });
        }

        foreach (var (check, status, hours) in new[]
        {
            ("a", "fail", -1), ("b", "pass", -2), ("c", "warn", -3), ("d", "error", -4), ("a", "pass", -24 * 7 - 1),
            ("b", "pass", -24 * 7 - 2), ("c", "fail", -24 * 7 + 2),
        })
        {
            await client.PostJson(
                "/api/v1/checks/results", new { pipeline_id = "p", check_id = check, status, executed_at = now.AddHours(hours) });
        }

        var overview = await client.GetJson("/api/v1/overview");

        Assert.Equal(2, overview.GetProperty("runs_failed").GetProperty("count").GetInt64());
        Assert.Equal(1, overview.GetProperty("runs_running").GetProperty("count").GetInt64());
        Assert.False(overview.GetProperty("runs_running").GetProperty("count_is_minimum").GetBoolean());
        var hours24 = overview.GetProperty("runs_by_hour").EnumerateArray().ToList();
        Assert.Equal((4, 2), (hours24.Sum(hour => hour.GetProperty("total").GetInt64()),
            hours24.Sum(hour => hour.GetProperty("failed").GetInt64())));
        var hour = now.AddHours(-3);
        Assert.Equal(
            hour.ToString("yyyy-MM-dd'T'HH", CultureInfo.InvariantCulture) + ":00:00.000000Z", hours24[0].GetProperty("hour").GetString());
        Assert.False(overview.GetProperty("runs_by_hour_truncated").GetBoolean());
        Assert.Equal([1, 1, 1, 1], new[] { "fail", "error", "warn", "pass" }
            .Select(status => overview.GetProperty("checks").GetProperty(status).GetProperty("count").GetInt64()));
        Assert.Equal((1d / 3, 4), (overview.GetProperty("pass_rate").GetProperty("rate").GetDouble(),
            overview.GetProperty("pass_rate").GetProperty("counted").GetInt64()));
        Assert.Equal((1d, 2), (overview.GetProperty("pass_rate_week_before").GetProperty("rate").GetDouble(),
            overview.GetProperty("pass_rate_week_before").GetProperty("counted").GetInt64()));
        Assert.Equal(0, overview.GetProperty("pipelines_overdue").GetProperty("count").GetInt64());
        Assert.Equal(2, (await client.GetJson("/api/v1/runs/?status=failed&ended_since=24h&count=true")).GetProperty("count").GetInt64());
        Assert.Equal(3, (await client.GetJson("/api/v1/overview?since=30d")).GetProperty("runs_failed").GetProperty("count").GetInt64());
        foreach (var since in new[] { "0001-01-01", "32d" })
        {
            var longest = await client.GetJson($"/api/v1/overview?since={since}");
            Assert.Equal(
                longest.GetProperty("as_of").GetDateTimeOffset().AddDays(-31), longest.GetProperty("since").GetDateTimeOffset());
        }

        await (await client.GetAsync("/api/v1/overview?until=1d", Ct)).Problem(422, "invalid");
    }

    [Fact]
    public async Task An_empty_organization_has_an_overview()
    {
        using var client = await App.Organization(Name);

        var overview = await client.GetJson("/api/v1/overview?since=1h");

        Assert.Equal(0, overview.GetProperty("runs_by_hour").GetArrayLength());
        Assert.Null(overview.GetProperty("pass_rate").GetProperty("rate").GetRawText() is "null" ? null : "a rate");
    }
}
