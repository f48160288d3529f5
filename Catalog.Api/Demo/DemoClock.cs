namespace Catalog.Api.Demo;

/// <summary>
/// The clock of the services that receive the posts of the demo. It shows a time in the past, or the current time.
/// </summary>
internal sealed class DemoClock : TimeProvider
{
    /// <summary>The time that the clock shows; null for the current time.</summary>
    public DateTimeOffset? At { get; set; }

    public override DateTimeOffset GetUtcNow() => At ?? base.GetUtcNow();
}
