using Catalog.Api.Pages.Live;
using Catalog.Data.Runs;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pages.Live;

/// <summary>How many pages can follow a run.</summary>
public sealed class RunChangeNotifierTests(SqliteTestDatabase database) : IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public void One_organization_cannot_use_up_the_room_of_the_others()
    {
        var live = new RunChangeNotifier(new RunChangeTokens(database.Database));
        var watches = Enumerable.Range(0, RunChangeNotifier.MaxWatchesOfOrganization).Select(_ => live.Start("acme", "r")).ToList();

        Assert.DoesNotContain(null, watches);
        Assert.Null(live.Start("acme", "r"));
        Assert.NotNull(live.Start("other", "r"));
        watches[0]!.Dispose();
        Assert.NotNull(live.Start("acme", "r"));
    }

    [Fact]
    public void A_replica_has_a_limit()
    {
        var live = new RunChangeNotifier(new RunChangeTokens(database.Database));

        for (var number = 0; number < RunChangeNotifier.MaxWatches; number++)
        {
            Assert.NotNull(live.Start($"organization-{number / RunChangeNotifier.MaxWatchesOfOrganization}", "r"));
        }

        Assert.Null(live.Start("another", "r"));
    }
}
