using System.Collections.Concurrent;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Organizations;

/// <summary>
/// Two organizations share one server connection of a transaction-mode pooler. Session state that one of them leaves
/// would reach the other.
/// </summary>
[Trait("Category", "Faults")]
public sealed class PoolerIsolationTests(PostgresTestDatabase database) : IClassFixture<PostgresTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Fault", "F12")]
    [InlineData(2_000)]
    [InlineData(20_000, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Interleaved_requests_never_see_rows_of_the_other_organization(int requests)
    {
        database.Require();
        Pooler.Require();
        using var pooler = new Pooler("transaction", poolSize: 1);
        using var app = new CatalogApp(new Pooled(pooler.Through(database.Address)), ("DATAXPIPE_PGBOUNCER", "true"),
            ("DATAXPIPE_PG_POOL_MAX", "10"), ("DATAXPIPE_REQUIRE_RLS", "true"));
        var clients = new[] { await app.Organization("left"), await app.Organization("right") };
        foreach (var (i, client) in clients.Index())
        {
            Assert.Equal(201, (int)(await client.PostJson("/api/v1/pipelines/", new { name = "same", owner = Owner(i) })).StatusCode);
        }

        var statuses = new ConcurrentDictionary<int, int>();
        var (crossed, posted, next) = (0, new int[2], 0);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            for (var i = Interlocked.Increment(ref next); i <= requests; i = Interlocked.Increment(ref next))
            {
                var side = i % 2;
                var request = (i % 10) switch
                {
                    0 or 1 => clients[side]
                        .PostJson("/api/v1/checks/results", new
                        {
                            id = $"{Owner(side)}-{i}",
                            pipeline_id = "same",
                            check_id = "c",
                            status = "pass",
                            message = Owner(side)
                        }),
                    2 or 3 => clients[side].GetAsync("/api/v1/checks/results?limit=20", Ct),
                    4 or 5 => clients[side].GetAsync($"/api/v1/checks/results/{Owner(1 - side)}-{i - (i % 10) + 1 - side}", Ct),
                    _ => clients[side].GetAsync("/api/v1/pipelines/same", Ct),
                };
                using var answer = await request;
                var body = await answer.Content.ReadAsStringAsync(Ct);
                statuses.AddOrUpdate((int)answer.StatusCode, 1, (_, count) => count + 1);
                if ((int)answer.StatusCode is 201)
                {
                    Interlocked.Increment(ref posted[side]);
                }

                if (body.Contains(Owner(1 - side), StringComparison.Ordinal))
                {
                    Interlocked.Increment(ref crossed);
                }
            }
        })));

        TestContext.Current.TestOutputHelper!.WriteLine($"{requests} requests, crossed {crossed}, {JsonSerializer.Serialize(statuses)}");
        Assert.Equal(0, crossed);
        Assert.Equal([200, 201, 404], statuses.Keys.Order());
        foreach (var side in new[] { 0, 1 })
        {
            var stored = await database.Database.Many<string>(side == 0 ? "left" : "right", "select message from check_results", null, Ct);
            Assert.Equal(posted[side], stored.Count);
            Assert.All(stored, message => Assert.Equal(Owner(side), message));
        }
    }

    private static string Owner(int side) => side == 0 ? "team-of-the-left" : "team-of-the-right";

    private sealed class Pooled(string address) : TestDatabase
    {
        public override string Address => address;

        public override ValueTask InitializeAsync() => ValueTask.CompletedTask;
    }
}
