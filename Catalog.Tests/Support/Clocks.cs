using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Support;

/// <summary>Clocks that move only when they are told to; what waits by them waits for that, too.</summary>
public static class Clocks
{
    extension(FakeTimeProvider clock)
    {
        /// <summary>A clock that stands at an ordinary hour.</summary>
        public static FakeTimeProvider Standing() => new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));

        public long Seconds => clock.GetUtcNow().ToUnixTimeSeconds();

        /// <summary>Moves on until something that waits by this clock is done.</summary>
        public async Task<T> Until<T>(Task<T> done)
        {
            while (!done.IsCompleted)
            {
                clock.Advance(TimeSpan.FromMilliseconds(100));
                await Task.WhenAny(done, Task.Delay(10));
            }

            return await done;
        }
    }
}
