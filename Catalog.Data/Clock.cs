namespace Catalog.Data;

/// <summary>Time as the Catalog keeps it.</summary>
public static class Clock
{
    /// <summary>The present instant in UTC, cut to microseconds: both engines give back exactly what they were given.</summary>
    public static DateTimeOffset Now(this TimeProvider time) => Cut(time.GetUtcNow());

    /// <summary>An instant in UTC, cut to microseconds. Cut, because rounding up could leave the calendar's last day.</summary>
    public static DateTimeOffset Cut(DateTimeOffset instant) =>
        new(instant.UtcTicks - (instant.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
