namespace Catalog.Data.Migrations;

/// <summary>How patient a migration is. It is held up by others' locks, and holds others up while it waits for one.</summary>
public sealed record MigrationLimits
{
    /// <summary>How long a statement waits for a lock on a table, and so how long traffic behind it can stall.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a script is tried that waited in vain.</summary>
    public int Attempts { get; init; } = 10;

    /// <summary>How long one statement may run.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long to wait for another migrator to finish.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);
}
