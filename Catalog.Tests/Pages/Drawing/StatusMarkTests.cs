using Catalog.Api.Pages;
using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>A status is a word, a shape and a colour together.</summary>
[Trait("Category", "Fast")]
public sealed class StatusMarkTests
{
    [Fact]
    public void Statuses_that_mean_different_things_have_different_shapes()
    {
        string?[] statuses =
            ["pending", "running", "completed", "failed", "cancelled", "skipped", "queued", "warn", "error", null, "something else"];
        var shapes = statuses.Select(StatusLook.Of).Select(look => (look.Fill, look.Line, look.Glyph)).ToList();

        Assert.Equal(shapes.Distinct(), shapes);
        // The filled shapes differ in their outline, not only in the glyph on them.
        var fills = shapes.Where(shape => shape.Glyph is not null).Select(shape => shape.Fill).ToList();
        Assert.Equal(fills.Distinct(), fills);
    }

    [Theory]
    [InlineData("failed", null, "status-failed", "failed")]
    [InlineData("pass", null, "status-pass", "pass")]
    [InlineData(null, null, "status-none", "no run")]
    [InlineData(null, "no result", "status-none", "no result")]
    [InlineData("fail", "fail, 3 runs", "status-fail", "fail, 3 runs")]
    [InlineData("<b> status-ok", null, "status-unknown", "<b> status-ok")]
    public async Task A_mark_has_the_word_the_class_and_a_hidden_shape(string? status, string? text, string look, string word)
    {
        var mark = await Rendered.Xml<StatusMark>((nameof(StatusMark.Status), status), (nameof(StatusMark.Text), text));

        Assert.Equal(word, Assert.Single(mark.OfClass("status-word")).Value);
        Assert.Equal($"status {look}", Assert.Single(mark.Elements()).Get("class"));
        var shape = Assert.Single(mark.Named("svg"));
        Assert.Equal("true", shape.Get("aria-hidden"));
        Assert.NotEmpty(shape.Named("path"));
    }

    [Fact]
    public async Task A_hostile_status_or_text_stays_text()
    {
        foreach (var hostile in Rendered.Hostile)
        {
            await Rendered.Xml<StatusMark>((nameof(StatusMark.Status), hostile));
            var mark = await Rendered.Xml<StatusMark>((nameof(StatusMark.Text), hostile));
            var word = mark.OfClass("status-word")[0].Value;
            Assert.Equal(DisplayText.Clean(hostile).ReplaceLineEndings("\n"), word.ReplaceLineEndings("\n"));
        }
    }
}
