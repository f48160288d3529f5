namespace Catalog.Api.Background;

/// <summary>Background work that is repeated as long as the service runs. See <see cref="Recurring{TWork}"/>.</summary>
internal interface IRecurringWork
{
    /// <summary>The name in logs and metrics.</summary>
    string Name { get; }

    /// <summary>The time from the end of one run to the start of the next.</summary>
    TimeSpan Pause { get; }

    /// <summary>Whether the work runs one last time when the service stops.</summary>
    bool RunsAtStop => false;

    /// <summary>Runs once. An exception is logged and counted, and the work runs again later.</summary>
    /// <param name="ct">Cancelled when the service stops. In the last run, at stop, it is never cancelled.</param>
    Task Run(CancellationToken ct);
}
