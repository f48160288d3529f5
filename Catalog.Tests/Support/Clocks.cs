using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Support;

/// <summary>Clocks that advance only when a test advances them.</summary>
public static class Clocks
{
    extension(FakeTimeProvider clock)
    {
        /// <summary>A clock that shows 2026-11-21 12:00 UTC.</summary>
        public static FakeTimeProvider AtFixedTime() => new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));

        public long Seconds => clock.GetUtcNow().ToUnixTimeSeconds();

        /// <summary>Advances the clock in steps of 100 ms until a task is completed.</summary>
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
