using Catalog.Tests.Support;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(SlowFirst))]

namespace Catalog.Tests.Support;

/// <summary>The classes that take longest begin first: one of them at the end would keep one core busy and the other idle.</summary>
public sealed class SlowFirst : ITestCollectionOrderer
{
    // The slowest first, as `dotnet test --logger trx` measured them. One that is missing here only begins later.
    private static readonly string[] Slow =
    [
        "BackupFaultTests", "RunnerTests", "OperationsGuideTests", "TransferKillTests", "RetentionOnPostgres", "GeneratedClientTests", "SigningKeyTests",
        "CheckoutOnSqlite", "CheckoutOnPostgres", "BackupTests", "NoticesOnPostgres", "RowSecurityTests", "SessionTests", "ContractOnPostgres", "TransferTests",
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Place(collection.TestCollectionDisplayName))];

    private static int Place(string collection) =>
        Array.FindIndex(Slow, name => collection.Contains($".{name} ", StringComparison.Ordinal)) is >= 0 and var place ? place : Slow.Length;
}
