using System.Globalization;
using Catalog.Data.Schedules;

namespace Catalog.Tests.Schedules;

[Trait("Category", "Fast")]
public sealed class PreviousTickTests
{
    [Theory]
    [InlineData("0 6 * * *", "2026-01-31T06:00:00Z", "2026-01-31T06:00:00Z")]
    [InlineData("0 6 * * *", "2026-01-31T05:59:59Z", "2026-01-30T06:00:00Z")]
    [InlineData("* * * * *", "2026-01-31T05:59:59.9Z", "2026-01-31T05:59:00Z")]
    [InlineData("*/15 * * * *", "2026-01-31T00:14:00Z", "2026-01-31T00:00:00Z")]
    [InlineData("0 0 29 2 *", "2027-06-01T00:00:00Z", "2024-02-29T00:00:00Z")]
    [InlineData("0 0 1 * 1", "2026-01-31T00:00:00Z", "2026-01-26T00:00:00Z")]
    [InlineData("@yearly", "2026-01-31T00:00:00Z", "2026-01-01T00:00:00Z")]
    [InlineData("0 0 31 2 *", "2026-01-31T00:00:00Z", null)]
    public void The_last_time_before_now_is_found(string expression, string at, string? expected)
    {
        var now = DateTimeOffset.Parse(at, CultureInfo.InvariantCulture);

        var found = Cron.Parse(expression)!.Previous(now, now.AddDays(-9 * 366), TimeZoneInfo.Utc);

        Assert.Equal(expected is null ? (DateTimeOffset?)null : DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture), found);
    }

    [Fact]
    public void A_time_before_the_start_does_not_count()
    {
        var now = new DateTimeOffset(2026, 1, 31, 5, 0, 0, TimeSpan.Zero);

        Assert.Null(Cron.Parse("0 6 * * *")!.Previous(now, now.AddHours(-22), TimeZoneInfo.Utc));
        Assert.Equal(now.AddHours(-23), Cron.Parse("0 6 * * *")!.Previous(now, now.AddHours(-23), TimeZoneInfo.Utc));
    }
}
