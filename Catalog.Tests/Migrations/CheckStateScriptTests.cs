using System.Diagnostics.Metrics;
using Catalog.Data.Checks;
using Catalog.Data.Migrations;
using Catalog.Data.Pipelines;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Migrations;

public sealed class CheckStateScriptOnSqlite(SqliteTestDatabase database) : CheckStateScriptTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class CheckStateScriptOnPostgres(PostgresTestDatabase database) : CheckStateScriptTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>Script 0016 on a database with results.</summary>
public abstract class CheckStateScriptTests(TestDatabase database)
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_script_gives_the_states_that_the_results_gave()
    {
        database.Require();
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var random = new Random(5);
        string[] words = ["pass", "warn", "fail", "error"];
        foreach (var organization in new[] { "a", "b" })
        {
            await new PipelineRegistration(database.Database, TimeProvider.System).Register(organization,
                [.. new[] { "p", "q" }.Select(id => new NewPipeline { Id = id, Version = "1", Body = "{}", BodyHash = [1] })], Ct);
            var ingest = new ResultIngest(database.Database, new(1, 4096), services.GetRequiredService<IMeterFactory>());
            await ingest.StartAsync(Ct);
            await ingest.Enqueue(organization,
            [
                .. Enumerable.Range(0, 300).Select(i => new CheckResult
                {
                    Id = $"result-{i}",
                    PipelineId = random.Next(2) == 0 ? "p" : "q",
                    CheckId = $"check {random.Next(20)}",
                    RunId = random.Next(2) == 0 ? null : "r",
                    Status = words[random.Next(4)],
                    Severity = random.Next(2) == 0 ? "warn" : "error",
                    Dataset = $"set {i}",
                    ObservedNumber = i,
                    ExecutedAt = Noon.AddMinutes(random.Next(5)),
                    CreatedAt = Noon,
                    RequestHash = [1],
                }),
            ], 1)!.Value;
            await ingest.StopAsync(Ct);
        }

        var before = await States();
        Assert.InRange(before.Count, 70, 80);
        await using var migrations = MigrationDatabase.Open(database.Settings);
        var migrator = new Migrator(migrations, Chain.BuiltIn(migrations.Dialect.Folder), TimeProvider.System);
        await migrator.Downgrade("0015", again: false, Ct);
        await migrator.Upgrade("0016", again: false, Ct);

        Assert.Equal(before, await States());
    }

    private async Task<List<string>> States()
    {
        await using var migrations = MigrationDatabase.Open(database.Settings);
        await using var connection = await migrations.Source.OpenConnectionAsync(Ct);
        return [.. (await connection.QueryAsync("select * from check_states order by organization_id, pipeline_id, check_id"))
            .Select(row => string.Join('|', ((IDictionary<string, object?>)row).Select(cell => $"{cell.Value}")))];
    }
}
