using System.Diagnostics.Metrics;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Pipelines;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Checks;

[Trait("Category", "Fast")]
public sealed class MergedResultOnSqlite(SqliteTestDatabase database) : MergedResultTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class MergedResultOnPostgres(PostgresTestDatabase database) : MergedResultTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>
/// Pages of results of several checks are merged from the results of each check. They contain the same results in the
/// same order as a sorted list of all of them.
/// </summary>
public abstract class MergedResultTests(TestDatabase database) : IAsyncLifetime
{
    private static readonly string[] Statuses = [CheckStatus.Pass, CheckStatus.Warn, CheckStatus.Fail, CheckStatus.Error];
    private readonly string _organization = $"o-{Guid.NewGuid():N}";
    private readonly List<CheckResult> _all = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database.Require();
        string[] pipelines = ["p0", "p1", "p2", "p3", ""];
        await new PipelineRegistration(database.Database, TimeProvider.System).Register(_organization,
            [.. pipelines.Where(id => id.Length > 0).Select(id => new NewPipeline { Id = id, Version = "1", Body = "{}", BodyHash = [1] })],
            Ct);
        var random = new Random(1);
        for (var i = 0; i < 900; i++)
        {
            // There are few times, so that many results have the same time. Some checks have only old results.
            var check = random.Next(70);
            _all.Add(RandomCheckResults.Result($"check-{check}", Statuses[random.Next(4)], check < 5 ? 0 : random.Next(40), id: $"r{i:000}",
                severity: random.Next(3) == 0 ? CheckSeverity.Warn : CheckSeverity.Error) with
            {
                PipelineId = pipelines[random.Next(pipelines.Length)],
            });
        }

        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var ingest = new ResultIngest(database.Database, new(1, 4096), services.GetRequiredService<IMeterFactory>());
        await ingest.StartAsync(Ct);
        await ingest.Enqueue(_organization, _all, 1)!.Value;
        await ingest.StopAsync(Ct);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Pages_by_pipeline_or_by_check_equal_the_sorted_list()
    {
        var results = new CheckResultRepository(database.Database);
        var (since, until) = (RandomCheckResults.Noon.AddMinutes(10), RandomCheckResults.Noon.AddMinutes(30));
        CheckResultFilter[] times = [new(), new() { Since = since }, new() { Until = until }, new() { Since = since, Until = until }];
        foreach (var filter in
            from key in new CheckResultFilter[] { new() { PipelineId = "p1" }, new() { PipelineId = "" }, new() { CheckId = "check-7" },
                new() { CheckId = "check-2" }, new() { PipelineId = "p2", CheckId = "check-9" }, new() { PipelineId = "unknown" } }
            from time in times
            from status in new[] { null, CheckStatus.Fail, CheckStatus.Pass }
            from severity in new[] { null, CheckSeverity.Warn }
            select key with { Since = time.Since, Until = time.Until, Status = status, Severity = severity })
        {
            var expected = _all.Where(result => Matches(result, filter))
                .OrderByDescending(result => result.ExecutedAt).ThenByDescending(result => result.Id, StringComparer.Ordinal)
                .Select(result => result.Id).ToList();
            foreach (var limit in new[] { 1, 7, 50, 200 })
            {
                Assert.Equal(expected.Take(limit * 4), (await Pages(results, filter, limit)).Take(limit * 4));
            }

            Assert.Equal(expected.Count, (await results.Count(_organization, filter, Ct)).Value);
        }
    }

    private async Task<List<string>> Pages(CheckResultRepository results, CheckResultFilter filter, int limit)
    {
        List<string> ids = [];
        Cursor? after = null;
        for (var page = 0; page < 4; page++)
        {
            var found = await results.List(_organization, filter, after, limit, Ct);
            ids.AddRange(found.Items.Select(result => result.Id));
            if (found.Next is null)
            {
                break;
            }

            after = found.Next;
        }

        return ids;
    }

    private static bool Matches(CheckResult result, CheckResultFilter filter) =>
        (filter.PipelineId ?? result.PipelineId) == result.PipelineId && (filter.CheckId ?? result.CheckId) == result.CheckId
        && (filter.Status ?? result.Status) == result.Status && (filter.Severity ?? result.Severity) == result.Severity
        && (filter.Since is null || result.ExecutedAt >= filter.Since) && (filter.Until is null || result.ExecutedAt < filter.Until);
}
