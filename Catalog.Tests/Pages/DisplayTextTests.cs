using Catalog.Api.Pages;
using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages;

/// <summary>Numbers, durations, short texts and ids in drawings.</summary>
[Trait("Category", "Fast")]
public sealed class DisplayTextTests
{
    [Theory]
    [InlineData(1234.5678, "1234.57")]
    [InlineData(-0.001, "0")]
    [InlineData(double.NaN, "0")]
    [InlineData(double.PositiveInfinity, "1000000000")]
    public void Coordinates_have_at_most_two_decimals(double value, string text) => Assert.Equal(text, DisplayText.Number(value));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1234567.891, "1,234,568")]
    [InlineData(12.3456789, "12.3457")]
    [InlineData(99999.94, "99,999.9")]
    [InlineData(0.000123, "0.000123")]
    [InlineData(-2e20, "-2e20")]
    [InlineData(double.NaN, "not a number")]
    public void Values_are_readable(double value, string text) => Assert.Equal(text, DisplayText.Value(value));

    [Theory]
    [InlineData(-5, "0 ms")]
    [InlineData(0.42, "420 ms")]
    [InlineData(1.46, "1.5 s")]
    [InlineData(59.7, "1 min")]
    [InlineData(75, "1 min 15 s")]
    [InlineData(240, "4 min")]
    [InlineData(3590, "1 h")]
    [InlineData(4800, "1 h 20 min")]
    [InlineData(86_400 * 3.5, "3 d 12 h")]
    public void Durations_have_at_most_two_units(double seconds, string text) =>
        Assert.Equal(text, DisplayText.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("mart.orders", 11, "mart.orders")]
    [InlineData("mart.orders_daily", 11, "mart.order…")]
    [InlineData("日本語のデータ", 8, "日本語…")]
    [InlineData("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 5, "👩‍👩‍👧‍👦👩‍👩‍👧‍👦…")]
    [InlineData("", 5, "")]
    public void Long_texts_are_shortened_between_characters(string text, int columns, string shorter) =>
        Assert.Equal(shorter, DisplayText.Shorten(text, columns));

    [Theory]
    [InlineData("load_orders", "stage-load_orders")]
    [InlineData("load orders", "stage-load_0020orders")]
    [InlineData("load_0020orders", "stage-load_005F0020orders")]
    [InlineData("é\"<", "stage-_00E9_0022_003C")]
    public void Anchors_are_safe_and_readable(string name, string id) => Assert.Equal(id, ElementId.Of("stage", name));

    [Fact]
    public void Different_names_have_different_anchors()
    {
        var parts = new[] { "", "_", "_0020", " ", "__", "002", "0", "A", "é", "_005F" };
        var names = (from a in parts from b in parts from c in parts from d in parts select a + b + c + d).Distinct().ToList();
        var anchors = names.Select(name => ElementId.Of("stage", name)).ToList();

        Assert.Equal(names.Count, anchors.Distinct().Count());
        Assert.All(anchors, anchor => Assert.Matches("^[A-Za-z0-9_-]+$", anchor));
    }
}
