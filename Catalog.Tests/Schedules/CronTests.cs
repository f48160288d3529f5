using System.Globalization;
using Catalog.Data.Schedules;

namespace Catalog.Tests.Schedules;

/// <summary>Accepted schedules: the five-field forms that Airflow, dbt Cloud and Prefect accept.</summary>
[Trait("Category", "Fast")]
public sealed class CronTests
{
    [Theory]
    [InlineData("* * * * *")]
    [InlineData("0 6 * * *")]
    [InlineData("*/15 8-18 * * MON-FRI")]
    [InlineData("5/10 * * * *")]
    [InlineData("0-59/59 * * * *")]
    [InlineData("0,30 6,18 1,15 jan,JUL mon,wed,FRI")]
    [InlineData("0 0 * * 7")]
    [InlineData("0 0 * * 5-7")]
    [InlineData("0 0 31 2 *")]
    [InlineData(" 00  08\t* *\n* ")]
    // A star in a list.
    [InlineData("*/15,3 * * * *")]
    [InlineData("0 0 1,*/10 * *")]
    [InlineData("*,5 */6,1 *,1 *,1 *,1")]
    // Ranges that wrap.
    [InlineData("0 22-1 * * *")]
    [InlineData("0 0 * nov-feb sat-mon")]
    // Last days, nearest workdays, numbered weekdays.
    [InlineData("0 0 L * *")]
    [InlineData("0 0 L-3 * *")]
    [InlineData("0 0 15W * *")]
    [InlineData("0 0 LW * *")]
    [InlineData("0 0 * * fri#2")]
    [InlineData("0 0 * * 5L")]
    [InlineData("0 0 ? * ?")]
    [InlineData("@hourly")]
    [InlineData("@daily")]
    [InlineData("@midnight")]
    [InlineData("@Weekly")]
    [InlineData("@monthly")]
    [InlineData("@yearly")]
    [InlineData("@annually")]
    public void Schedules_of_common_schedulers_are_accepted(string expression) => Assert.True(Cron.IsValid(expression));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("often")]
    [InlineData("* * * *")]
    // Seconds and years.
    [InlineData("* * * * * *")]
    [InlineData("0 0 12 * * ? 2026")]
    [InlineData("60 * * * *")]
    [InlineData("0 24 * * *")]
    [InlineData("0 0 0 * *")]
    [InlineData("0 0 32 * *")]
    [InlineData("0 0 * 13 *")]
    [InlineData("0 0 * * 8")]
    [InlineData("0 0 * * MONDAY")]
    [InlineData("-1 * * * *")]
    [InlineData("9999999999 * * * *")]
    [InlineData("*/0 * * * *")]
    [InlineData("*/60 * * * *")]
    [InlineData("1,,2 * * * *")]
    [InlineData("1,* 2* * * *")]
    [InlineData("*5,1 * * * *")]
    [InlineData("0 0 * * *,9")]
    [InlineData("1-2-3 * * * *")]
    [InlineData("1/2/3 * * * *")]
    [InlineData("٥ * * * *")]
    [InlineData("H * * * *")]
    [InlineData("0 0 1 * * # nightly")]
    // Presets that five fields cannot express.
    [InlineData("@every_second")]
    [InlineData("@every_minute")]
    [InlineData("@once")]
    [InlineData("@reboot")]
    [InlineData("@daily * * * *")]
    public void Other_schedules_are_refused(string expression) => Assert.False(Cron.IsValid(expression));

    [Theory]
    [InlineData("0 6 * * *", "UTC", "2026-01-01T05:59:59Z", "2026-01-01T06:00:00Z")]
    [InlineData("0 6 * * *", "UTC", "2026-01-01T06:00:00Z", "2026-01-02T06:00:00Z")]
    [InlineData("0 6 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-01T04:00:00Z")]
    [InlineData("0 6 * * *", "Asia/Kathmandu", "2026-07-01T00:00:00Z", "2026-07-01T00:15:00Z")]
    // 02:30 does not exist on 29 March 2026: it moves to 03:00 local time, and the next day is as usual.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z")]
    // 02:30 occurs twice on 25 October 2026. A daily check runs once, and a check of every half hour runs at both
    // times.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")]
    [InlineData("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z")]
    [InlineData("0 * * * *", "America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z")]
    // One of the two days must match, as in crontab: the 13th or a Friday.
    [InlineData("0 0 13 * 5", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")]
    [InlineData("0 0 13 * 5", "UTC", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z")]
    // Both must match when one of them begins with a star.
    [InlineData("0 0 */2 * 5", "UTC", "2026-01-01T00:00:00Z", "2026-01-09T00:00:00Z")]
    [InlineData("0 0 L * ?", "UTC", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z")]
    [InlineData("@daily", "Pacific/Auckland", "2026-01-01T00:00:00Z", "2026-01-01T11:00:00Z")]
    public void The_next_time_is_in_the_time_zone(string expression, string zone, string after, string next) =>
        Assert.Equal(DateTimeOffset.Parse(next, CultureInfo.InvariantCulture),
            Cron.Next(expression, zone, DateTimeOffset.Parse(after, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("0 0 30 2 *", "UTC")]
    [InlineData("often", "UTC")]
    [InlineData("0 0 * * *", "Europe/Atlantis")]
    [InlineData("0 0 * * *", "W. Europe Standard Time")]
    [InlineData("0 0 * * *", "")]
    public void There_may_be_no_next_time(string expression, string zone) =>
        Assert.Null(Cron.Next(expression, zone, DateTimeOffset.UnixEpoch));

    [Fact]
    public void A_too_long_schedule_is_refused_without_parsing() =>
        Assert.False(Cron.IsValid($"{string.Join(',', Enumerable.Repeat("1", 200))} * * * *"));
}
