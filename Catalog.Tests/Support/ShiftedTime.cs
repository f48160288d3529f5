namespace Catalog.Tests.Support;

/// <summary>
/// A clock that a test moves. Its timers are real, because the retries of an HTTP client use the same clock.
/// </summary>
internal sealed class ShiftedTime : TimeProvider
{
    private TimeSpan _shift;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _shift;

    public void Advance(TimeSpan time) => _shift += time;
}
