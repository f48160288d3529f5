namespace Catalog.Data;

/// <summary>Time as the Catalog stores it: UTC, in whole microseconds.</summary>
public static class Clock
{
    /// <summary>
    /// The current time in UTC, truncated to microseconds. Both engines store microseconds and return the same value.
    /// </summary>
    public static DateTimeOffset Now(this TimeProvider time) => Truncate(time.GetUtcNow());

    /// <summary>
    /// An instant in UTC, truncated to microseconds. It is not rounded, because rounding up could exceed
    /// <see cref="DateTimeOffset.MaxValue"/>.
    /// </summary>
    public static DateTimeOffset Truncate(DateTimeOffset instant) =>
        new(instant.UtcTicks - (instant.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
