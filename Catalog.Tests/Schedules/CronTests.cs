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

    [Fact]
    public void A_too_long_schedule_is_refused_without_parsing() =>
        Assert.False(Cron.IsValid($"{string.Join(',', Enumerable.Repeat("1", 200))} * * * *"));
}
