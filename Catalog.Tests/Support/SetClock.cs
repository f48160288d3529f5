using Catalog.Tests.Runs;
namespace Catalog.Tests.Support;

/// <summary>A clock that shows the time that a test sets, also an earlier one.</summary>
internal sealed class SetClock : TimeProvider
{
    public DateTimeOffset Time { get; set; } = RandomRunEvents.Noon;

    public override DateTimeOffset GetUtcNow() => Time;
}
