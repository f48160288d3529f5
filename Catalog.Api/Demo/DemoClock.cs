namespace Catalog.Api.Demo;

/// <summary>The clock of what receives the posts of the demo: a time of the past, or the current time.</summary>
internal sealed class DemoClock : TimeProvider
{
    /// <summary>The time; null for the current one.</summary>
    public DateTimeOffset? At { get; set; }

    public override DateTimeOffset GetUtcNow() => At ?? base.GetUtcNow();
}
