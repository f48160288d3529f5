namespace Catalog.Data.Migrations;

/// <summary>Time limits of a migration. While it waits for a lock, it blocks other clients that use the same table.</summary>
public sealed record MigrationLimits
{
    /// <summary>Maximum wait of a statement for a table lock. Traffic that queues behind it stalls for the same time.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Maximum attempts per script after a lock time-out.</summary>
    public int Attempts { get; init; } = 10;

    /// <summary>Maximum duration of one statement.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Maximum wait for another migrator.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromMinutes(10);
}
