using System.Globalization;
using System.Text.RegularExpressions;
using Catalog.Api.Pages.Drawing;

namespace Catalog.Tests.Pages.Drawing;

/// <summary>
/// The colours of statuses for readers with a colour-vision deficiency. The matrices are those of Machado, Oliveira and
/// Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE Transactions on
/// Visualization and Computer Graphics 15(6), 2009, for severity 1.0; they apply to linear RGB.
/// </summary>
[Trait("Category", "Fast")]
public sealed partial class ColourBlindnessTests
{
    // The least distance of two colours, CIE76 in L*a*b*. About 2.3 is just noticeable side by side; 15 is clearly
    // another colour.
    private const double Different = 15;

    // The least contrast of marks that are needed to understand a page (WCAG 2.2, 1.4.11).
    private const double MarkContrast = 3;

    private static readonly Dictionary<string, double[]> Eyes = new()
    {
        ["typical"] = [1, 0, 0, 0, 1, 0, 0, 0, 1],
        ["protanopia"] = [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
        ["deuteranopia"] = [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881],
        ["tritanopia"] = [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900],
    };

    // These statuses are grey on purpose, because they say that nothing happened. Their marks have different lines, but
    // their bars may look alike.
    private static readonly string[] Quiet = ["pending", "skipped", "muted"];

    public static TheoryData<string, string> Views =>
        [.. from eyes in Eyes.Keys from scheme in new[] { "light", "dark" } select (eyes, scheme)];

    [Theory]
    [MemberData(nameof(Views))]
    public void Statuses_with_the_same_outline_do_not_have_the_same_colour(string eyes, string scheme)
    {
        var colours = Colours(eyes, scheme);
        var looks = StatusLook.Words.Select(word => StatusLook.Of(word)).Append(StatusLook.Of("another word")).ToList();
        var pairs = from one in looks
                    from other in looks
                    where Outline(one) == Outline(other) && string.CompareOrdinal(one.Class, other.Class) < 0
                    select (One: one.Class, Other: other.Class);

        Assert.All(pairs.Append(("status-completed", "status-cancelled")), pair => AssertDifferent(colours, pair));
        Assert.Contains(("status-pending", "status-running"), pairs);
    }

    [Theory]
    [MemberData(nameof(Views))]
    public void Bars_without_a_pattern_do_not_have_the_same_colour(string eyes, string scheme)
    {
        var colours = Colours(eyes, scheme);
        string[] statuses = ["pending", "running", "completed", "failed", "cancelled", "skipped"];
        var bars = SparklinePlan.Of([.. statuses.Select(status => new SparklineRun(status, null, status))]).Bars;
        // Running bars are left out, because the stylesheet gives them dashes.
        var plain = bars.Where(bar => !bar.Striped && bar.Class != "status-running").Select(bar => bar.Class).ToList();

        Assert.Equal(["status-pending", "status-completed", "status-cancelled", "status-skipped"], plain);
        Assert.All(
            from one in plain from other in plain where string.CompareOrdinal(one, other) < 0 select (one, other),
            pair => AssertDifferent(colours, pair));
    }

    [Theory]
    [MemberData(nameof(Views))]
    public void Marks_stand_out_from_every_background(string eyes, string scheme)
    {
        var colours = Colours(eyes, scheme);
        var marks = Classes().Values.Distinct().ToList();

        Assert.True(marks.Count >= 8);
        Assert.All(
            from mark in marks from ground in new[] { "bg", "surface", "raised" } select (mark, ground),
            pair => Assert.True(Contrast(colours[pair.mark], colours[pair.ground]) >= MarkContrast,
                $"{pair} have a contrast of {Contrast(colours[pair.mark], colours[pair.ground]):0.00}."));
    }

    [Fact]
    public void The_simulation_makes_red_and_green_alike_for_deuteranopia_only()
    {
        (double, double, double) Seen(string eyes, string colour) => Lab(See(Eyes[eyes], colour));

        Assert.True(Distance(Seen("typical", "#c06040"), Seen("typical", "#7f7f34")) > 30);
        Assert.True(Distance(Seen("deuteranopia", "#c06040"), Seen("deuteranopia", "#7f7f34")) < Different);
    }

    private static void AssertDifferent(Dictionary<string, double[]> colours, (string One, string Other) pair)
    {
        var classes = Classes();
        var (one, other) = (classes[pair.One], classes[pair.Other]);
        if (one != other && !(Quiet.Contains(one) && Quiet.Contains(other)))
        {
            var distance = Distance(Lab(colours[one]), Lab(colours[other]));
            Assert.True(distance >= Different, $"{pair} differ by {distance:0.0}.");
        }
    }

    // The outer shape of a mark: the filled shape if a glyph is on it, otherwise the first drawn line.
    private static string Outline(StatusLook look) => look.Glyph is not null ? look.Fill! : look.Line!.Split('M')[1].Split('z')[0];

    // The colour token of each status class.
    private static Dictionary<string, string> Classes() => Rule().Matches(Css("drawing.css"))
        .SelectMany(rule => rule.Groups["class"].Captures.Select(name => (Class: name.Value, Token: rule.Groups["token"].Value)))
        .ToDictionary(rule => rule.Class, rule => rule.Token, StringComparer.Ordinal);

    // The colour of each token, as the eyes see it, in linear RGB.
    private static Dictionary<string, double[]> Colours(string eyes, string scheme)
    {
        var roots = Root().Matches(Css("ui.css"));
        Assert.Equal(2, roots.Count);
        return Token().Matches(roots[scheme == "light" ? 0 : 1].Value).ToDictionary(
            token => token.Groups["name"].Value, token => See(Eyes[eyes], token.Groups["colour"].Value), StringComparer.Ordinal);
    }

    private static string Css(string name) => File.ReadAllText(Path.Combine(ConventionTests.Root, "Catalog.Api", "wwwroot", "ui", name));

    private static double[] See(double[] matrix, string colour)
    {
        double Linear(int start)
        {
            var value = int.Parse(colour.AsSpan(start, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }

        double[] rgb = [Linear(1), Linear(3), Linear(5)];
        return [.. matrix.Chunk(3).Select(row => Math.Clamp(row.Zip(rgb, (factor, part) => factor * part).Sum(), 0, 1))];
    }

    private static double Luminance(double[] rgb) => (0.2126 * rgb[0]) + (0.7152 * rgb[1]) + (0.0722 * rgb[2]);

    private static double Contrast(double[] one, double[] other)
    {
        var (light, dark) = (Math.Max(Luminance(one), Luminance(other)), Math.Min(Luminance(one), Luminance(other)));
        return (light + 0.05) / (dark + 0.05);
    }

    // sRGB with the white of D65.
    private static (double L, double A, double B) Lab(double[] rgb)
    {
        double F(double t) => t > 0.008856 ? Math.Cbrt(t) : (7.787 * t) + (16.0 / 116);
        var x = F(((0.4124 * rgb[0]) + (0.3576 * rgb[1]) + (0.1805 * rgb[2])) / 0.95047);
        var y = F(Luminance(rgb));
        var z = F(((0.0193 * rgb[0]) + (0.1192 * rgb[1]) + (0.9505 * rgb[2])) / 1.08883);
        return ((116 * y) - 16, 500 * (x - y), 200 * (y - z));
    }

    private static double Distance((double L, double A, double B) one, (double L, double A, double B) other) =>
        Math.Sqrt(Math.Pow(one.L - other.L, 2) + Math.Pow(one.A - other.A, 2) + Math.Pow(one.B - other.B, 2));

    [GeneratedRegex(@"^(?:\.(?<class>status-[a-z]+)(?:, )?)+ \{ --mark: var\(--(?<token>[a-z]+)\); \}", RegexOptions.Multiline)]
    private static partial Regex Rule();

    [GeneratedRegex(@":root \{[^}]+\}")]
    private static partial Regex Root();

    [GeneratedRegex("--(?<name>[a-z-]+): (?<colour>#[0-9a-f]{6});")]
    private static partial Regex Token();
}
