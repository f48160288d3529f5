using Catalog.Api.Pages;
using Catalog.Data.Schedules;

namespace Catalog.Tests.Pages;

/// <summary>Cron schedules in words.</summary>
[Trait("Category", "Fast")]
public sealed class ScheduleTextTests
{
    [Theory]
    [InlineData("* * * * *", "every minute")]
    [InlineData("*/15 * * * *", "every 15 minutes")]
    [InlineData("0 * * * *", "every hour")]
    [InlineData("20 * * * *", "every hour at minute 20")]
    [InlineData("@hourly", "every hour")]
    [InlineData("0 */6 * * *", "every 6 hours")]
    [InlineData("30 8-18 * * 1-5", "every hour from 08:30 to 18:30, Monday to Friday")]
    [InlineData("0 2 * * *", "every day at 02:00")]
    [InlineData("@daily", "every day at 00:00")]
    [InlineData("5 18,6 * * *", "every day at 06:05 and 18:05")]
    [InlineData("0 7 * * MON-FRI", "Monday to Friday at 07:00")]
    [InlineData("0 7 * * 0", "every Sunday at 07:00")]
    [InlineData("0 7 * * 7", "every Sunday at 07:00")]
    [InlineData("@weekly", "every Sunday at 00:00")]
    [InlineData("0 7 * * 1,3,5", "every Monday, Wednesday and Friday at 07:00")]
    [InlineData("*/10 * * * sat", "every 10 minutes, every Saturday")]
    [InlineData("@monthly", "on day 1 of every month at 00:00")]
    [InlineData("0 6 L * *", "on the last day of every month at 06:00")]
    [InlineData("0 6 1,15 * *", "on day 1 and 15 of every month at 06:00")]
    [InlineData("@yearly", "on day 1 of January at 00:00")]
    [InlineData("0 0 ? * *", "every day at 00:00")]
    public void A_regular_schedule_has_words(string cron, string words)
    {
        Assert.True(Cron.IsValid(cron));
        Assert.Equal(words, ScheduleText.InWords(cron));
    }

    [Theory]
    [InlineData("*/7 * * * *")]
    [InlineData("1,31 * * * *")]
    [InlineData("0 22-4 * * *")]
    [InlineData("0 0 1 * 1")]
    [InlineData("0 0 * * 1#2")]
    [InlineData("0 0 1-7 * *")]
    [InlineData("0 0 * 2 *")]
    [InlineData("* 5 * * *")]
    [InlineData("0 0 * * 5-1")]
    [InlineData("")]
    [InlineData("not a schedule")]
    [InlineData("60 24 32 13 8")]
    [InlineData("0 2 * * x")]
    public void Another_schedule_has_none(string cron) => Assert.Null(ScheduleText.InWords(cron));
}
