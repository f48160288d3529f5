using Catalog.Api.Pages.Checks;

namespace Catalog.Tests.Pages.Checks;

/// <summary>Thresholds in words.</summary>
[Trait("Category", "Fast")]
public sealed class ThresholdTextTests
{
    [Theory]
    [InlineData("12", "above 12")]
    [InlineData("""{"above":1000000}""", "above 1,000,000")]
    [InlineData("""{"above":5,"unit":"percent"}""", "above 5 % of the judged rows")]
    [InlineData("""{"above":5,"unit":"count"}""", "above 5")]
    [InlineData("""{"at_least":1,"below":2.5}""", "at 1 or more and below 2.5")]
    [InlineData("""{"at_most":1}""", "at 1 or less")]
    [InlineData("""{"equals":0}""", "at exactly 0")]
    [InlineData("""{"not_equals":0}""", "at anything but 0")]
    [InlineData("""{"between":[1,2]}""", "from 1 to 2")]
    [InlineData("""{"outside":[100,200],"unit":"percent"}""", "below 100 % or above 200 % of the judged rows")]
    [InlineData("""{"above":"2h"}""", "above 2h")]
    [InlineData("\"text\"", null)]
    [InlineData("null", null)]
    [InlineData("[]", null)]
    [InlineData("{}", null)]
    [InlineData("""{"outside":[1]}""", null)]
    [InlineData("""{"above":{}}""", null)]
    [InlineData("""{"above":1,"unit":7}""", null)]
    [InlineData("""{"other":1}""", null)]
    public void A_threshold_is_a_short_sentence_or_nothing(string json, string? expected) =>
        Assert.Equal(expected, ThresholdText.InWords(new(json)));
}
