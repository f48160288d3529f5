using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>Ticks at round local times, the zone on the axis, and a live axis that grows in steps.</summary>
[Trait("Category", "Fast")]
public sealed class TimeAxisTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
    private static readonly TimeZoneInfo Kolkata = TimeZoneInfo.FindSystemTimeZoneById("Asia/Kolkata");

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);

    private static string Labels(TimeAxis axis) =>
        string.Join("|", axis.Ticks.Select(tick => tick.Date is null ? tick.Label : $"{tick.Date} {tick.Label}"));

    [Fact]
    public void Ticks_are_at_round_times_of_the_zone_in_24_hours()
    {
        var (from, to) = (At("2026-11-26T21:10:00Z"), At("2026-11-27T01:10:00Z"));
        Assert.Equal("26 Nov 22:00|23:00|27 Nov 00:00|01:00", Labels(TimeAxis.Of(from, to, TimeZoneInfo.Utc)));
        Assert.Equal("26 Nov 23:00|27 Nov 00:00|01:00|02:00", Labels(TimeAxis.Of(from, to, Berlin)));
        Assert.Equal("27 Nov 03:00|04:00|05:00|06:00", Labels(TimeAxis.Of(from, to, Kolkata)));
        Assert.Equal(0.125, TimeAxis.Of(from, At("2026-11-27T01:10:00Z"), Kolkata).Ticks[0].Share + 0.0416, 2);
    }

    [Fact]
    public void The_zone_and_both_offsets_are_named()
    {
        Assert.Equal("UTC", TimeAxis.Of(At("2026-11-26T00:00Z"), At("2026-11-27T00:00Z"), TimeZoneInfo.Utc).ZoneLabel);
        Assert.Equal("Asia/Kolkata, UTC+05:30", TimeAxis.Of(At("2026-11-26T00:00Z"), At("2026-11-27T00:00Z"), Kolkata).ZoneLabel);
        Assert.Equal("Europe/Berlin, UTC+01:00 to UTC+02:00",
            TimeAxis.Of(At("2026-03-28T12:00Z"), At("2026-03-29T12:00Z"), Berlin).ZoneLabel);
    }

    [Fact]
    public void A_clock_change_neither_repeats_nor_invents_a_tick()
    {
        var spring = TimeAxis.Of(At("2026-03-28T23:00Z"), At("2026-03-29T09:00Z"), Berlin);
        Assert.Equal("29 Mar 00:00|04:00|06:00|08:00|10:00", Labels(spring));

        var autumn = TimeAxis.Of(At("2026-10-25T00:00Z"), At("2026-10-25T02:00Z"), Berlin);
        Assert.Equal("25 Oct 02:00|02:30|02:00|02:30|03:00", Labels(autumn));
        Assert.Equal(5, autumn.Ticks.Select(tick => tick.Share).Distinct().Count());
    }

    [Fact]
    public void Any_two_times_give_few_ordered_ticks()
    {
        var random = new Random(7);
        DateTimeOffset[] fixedTimes = [DateTimeOffset.MinValue, DateTimeOffset.MaxValue, At("2026-10-25T00:30Z"), At("2026-03-29T01:00Z")];
        DateTimeOffset Any() => random.Next(5) == 0
            ? fixedTimes[random.Next(fixedTimes.Length)]
            : fixedTimes[2].AddSeconds((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(1, 10)));

        for (var round = 0; round < 3000; round++)
        {
            var axis = TimeAxis.Of(Any(), Any(), new[] { TimeZoneInfo.Utc, Berlin, Kolkata }[random.Next(3)]);
            var shares = axis.Ticks.Select(tick => tick.Share).ToList();
            Assert.InRange(shares.Count, 0, 8);
            Assert.Equal(shares.Order(), shares);
            Assert.Equal(shares.Distinct().Count(), shares.Count);
            Assert.NotEqual("", axis.ZoneLabel);
        }
    }

    [Fact]
    public void A_live_axis_never_shrinks_and_grows_seldom()
    {
        var lengths = Enumerable.Range(0, 40_000).Select(second => TimeAxis.RoundUp(TimeSpan.FromSeconds(second * 20))).ToList();

        Assert.Equal(lengths.Order(), lengths);
        Assert.All(lengths.Index(), length => Assert.True(length.Item >= TimeSpan.FromSeconds(length.Index * 20)));
        Assert.InRange(lengths.Distinct().Count(), 10, 32);
        Assert.True(TimeAxis.RoundUp(TimeSpan.MaxValue / 4) > TimeSpan.FromDays(365));
    }
}
