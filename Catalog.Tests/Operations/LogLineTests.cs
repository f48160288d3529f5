using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Operations;

/// <summary>The lines that a running service writes about requests.</summary>
public sealed class LogLineTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_JSON_line_has_the_ids_of_trace_span_and_organization_and_an_exception_stays_on_its_line()
    {
        await database.Database.Write("default", session => session.Execute(
            "create trigger poison before insert on check_results when new.message = 'poison' begin select raise(abort, 'poison'); end",
            null, Ct), Ct);
        using var service = new ServiceProcess(database.Address, ("DATAXPIPE_LOG_FORMAT", "json"), ("DATAXPIPE_ACCESS_LOG", "true"));
        using var client = await service.Client();
        client.DefaultRequestHeaders.Add("X-API-KEY", CatalogApp.Key);
        client.DefaultRequestHeaders.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

        await client.PostJson("/api/v1/pipelines/", new { name = "p" });
        var result = new { check_id = "c", pipeline_id = "p", status = "pass", message = "poison" };
        var answer = await client.PostJson("/api/v1/checks/results/", result);
        var problem = await answer.Problem(500, "internal_error");

        var lines = (await service.Lines("POST /api/v1/checks/results/ 500")).ConvertAll(line => JsonDocument.Parse(line).RootElement);
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", problem.GetProperty("trace_id").GetString());
        var ours = lines.Where(line => line.TryGetProperty("trace_id", out var id) && id.ValueEquals("0af7651916cd43dd8448eb211c80319c"))
            .Skip(1).ToList();
        Assert.Equal(["error", "info"], ours.Select(line => line.GetProperty("level").GetString()));
        Assert.All(ours, line =>
        {
            Assert.Equal("default", line.GetProperty("organization").GetString());
            Assert.Matches("^[0-9a-f]{16}\\z", line.GetProperty("span_id").GetString()!);
        });
        Assert.Contains("poison", ours[0].GetProperty("exception").GetString());
        Assert.Equal(500, ours[1].GetProperty("fields").GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Requests_without_a_valid_key_write_one_warning_and_no_other_line()
    {
        using var service = new ServiceProcess(database.Address, ("DATAXPIPE_DEV_KEYS", "false"));
        using var client = await service.Client();
        var before = (await service.Lines("Content root path")).Count;
        (string Name, string Value)[] credentials =
        [
            ("X-Nothing", ""), ("X-API-KEY", "wr0ng-key"), ("X-API-KEY", "dev-key"), ("Authorization", "Bearer wr0ng"),
            ("Authorization", "Bearer a.b.c"), ("Authorization", "Basic d3I6b25n"), ("Cookie", "catalog-session=wr0ng"),
        ];
        foreach (var (name, value) in credentials)
        {
            foreach (var path in new[] { "/api/v1/pipelines/", "/api/v1/checks/results/", "/ui/pipelines" })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.TryAddWithoutValidation(name, value);
                Assert.Contains((int)(await client.SendAsync(request, Ct)).StatusCode, new[] { 401, 302 });
            }
        }

        var lines = (await service.Lines("Invalid key or token")).Skip(before);
        Assert.Contains("warn: Catalog.Api.Http.RepeatedWarnings", Assert.Single(lines));
    }
}
