namespace Catalog.Tests.Runs;

/// <summary>A clock that shows the time that a test sets, also an earlier one.</summary>
internal sealed class SetClock : TimeProvider
{
    public DateTimeOffset Time { get; set; } = RunHistory.Noon;

    public override DateTimeOffset GetUtcNow() => Time;
}
