using Catalog.Tests.Support;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(SlowTestsFirst))]

namespace Catalog.Tests.Support;

/// <summary>Starts the slowest test classes first. A slow class at the end would leave the other cores idle.</summary>
public sealed class SlowTestsFirst : ITestCollectionOrderer
{
    // In descending order of time, as measured with `dotnet test --logger trx`. Classes that are not listed start
    // later.
    private static readonly string[] Slow =
    [
        "BackupFaultTests", "EveryPageTests", "WithoutScriptTests", "LiveRunInBrowserTests", "KilledMigratorTests",
        "ConcurrentMigratorTests", "OperationsGuideTests", "TransferKillTests", "OldDataRemovalOnPostgres", "GeneratedClientTests",
        "SigningKeyTests", "CheckoutOnSqlite", "CheckoutOnPostgres", "BackupTests", "WebhookEventFaultsOnPostgres",
        "RowSecurityMonitorTests", "PostgresSessionTests", "ContractOnPostgres", "TransferTests",
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => RankOf(collection.TestCollectionDisplayName))];

    private static int RankOf(string collection) =>
        Array.FindIndex(Slow, name => collection.Contains($".{name} ", StringComparison.Ordinal)) is >= 0 and var rank ? rank : Slow.Length;
}
