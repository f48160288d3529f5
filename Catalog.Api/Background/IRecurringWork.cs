namespace Catalog.Api.Background;

/// <summary>Work that is repeated beside the requests for as long as the service runs. See <see cref="Recurring{TWork}"/>.</summary>
internal interface IRecurringWork
{
    /// <summary>What logs and measurements call it.</summary>
    string Name { get; }

    /// <summary>From the end of one round to the beginning of the next.</summary>
    TimeSpan Pause { get; }

    /// <summary>Whether a last round is done when the service stops.</summary>
    bool RunsAtStop => false;

    /// <summary>One round. What it throws is logged and counted, and the next round comes later.</summary>
    /// <param name="ct">The service stops; not set in the last round.</param>
    Task Run(CancellationToken ct);
}
