using Microsoft.Playwright;

namespace Catalog.Tests.Pages.Browser;

/// <summary>
/// Keyboard, reduced motion and forced colours. EveryPageTests checks targets of 24 pixels and contrasts with axe-core.
/// </summary>
public sealed class KeyboardTests(ExampleCatalog catalog) : ExampleBrowserTests(catalog), IClassFixture<ExampleCatalog>
{
    // Counts what the Tab key reaches: visible controls outside of closed details.
    private const string Controls = """
        () => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
            .filter(element => !element.disabled && element.tabIndex >= 0 && element.checkVisibility({ visibilityProperty: true })).length
        """;

    private const string Focused = """
        () => {
            const element = document.activeElement;
            const style = getComputedStyle(element);
            const inner = [...element.querySelectorAll("*")].some(child => getComputedStyle(child).stroke !== "none"
                && parseFloat(getComputedStyle(child).strokeWidth) >= 1.5);
            const box = element.getBoundingClientRect();
            window.reached ??= new Set();
            const isNew = !reached.has(element) && element !== document.body;
            reached.add(element);
            return {
                isNew,
                name: element.outerHTML.slice(0, 200),
                isVisible: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || inner,
                isInView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
            };
        }
        """;

    [Theory]
    [InlineData("overview")]
    [InlineData("runs")]
    [InlineData("run-failed")]
    [InlineData("run-running")]
    [InlineData("pipeline")]
    [InlineData("check")]
    [InlineData("lineage")]
    [InlineData("keys")]
    public async Task Tab_reaches_every_control_with_a_visible_focus(string name)
    {
        var visit = await SignedIn();
        await visit.Go(ExamplePages.Address(name, Catalog.Data));
        var controls = await visit.Read<int>(Controls);
        var reached = 0;
        for (; reached <= controls; reached++)
        {
            await visit.Page.Keyboard.PressAsync("Tab");
            var focused = await visit.Read<Focus>(Focused);
            if (!focused.IsNew)
            {
                break;
            }

            Assert.True(focused.IsVisible && focused.IsInView, $"The focus is not visible on {focused.Name}");
        }

        Assert.Equal(controls, reached);
    }

    [Fact]
    public async Task Slash_focuses_the_search_and_is_a_character_in_a_field()
    {
        var visit = await SignedIn();
        await visit.Go("/ui/runs");

        await visit.Page.Keyboard.PressAsync("/");
        Assert.Equal("search", await visit.Read<string>("() => document.activeElement.id"));
        Assert.Equal("", await visit["#search"].InputValueAsync());
        await visit["#pipeline_id"].FocusAsync();
        await visit.Page.Keyboard.PressAsync("/");

        Assert.Equal("/", await visit["#pipeline_id"].InputValueAsync());
    }

    [Fact]
    public async Task The_first_Tab_offers_to_skip_to_the_content()
    {
        var visit = await SignedIn();
        await visit.Go("/ui/runs");

        await visit.Page.Keyboard.PressAsync("Tab");
        Assert.True(await visit.Read<bool>("""
            () => document.activeElement.matches(".skip") && document.activeElement.getBoundingClientRect().left >= 0
            """));
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.Keyboard.PressAsync("Tab");

        Assert.True(await visit.Read<bool>("() => document.querySelector('main').contains(document.activeElement)"));
    }

    [Fact]
    public async Task Escape_closes_a_menu_and_returns_the_focus()
    {
        var visit = await SignedIn();
        await visit.Go("/ui/runs");
        await visit["details.account summary"].FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.Page.Keyboard.PressAsync("Tab");

        await visit.Page.Keyboard.PressAsync("Escape");

        Assert.True(await visit.Read<bool>("() => document.activeElement.matches('details.account:not([open]) > summary')"));
    }

    [Fact]
    public async Task With_reduced_motion_nothing_moves()
    {
        var visit = await SignedIn(options => options.ReducedMotion = ReducedMotion.Reduce);

        await visit.Go(ExamplePages.Address("run-running", Catalog.Data));

        Assert.Equal(0, await visit.Read<int>("() => document.getAnimations().length"));
    }

    // Acceptance row 9: each status keeps its word and its shape when the browser replaces all our colours.
    [Fact]
    public async Task With_forced_colours_words_and_shapes_remain()
    {
        var visit = await SignedIn(options => options.ForcedColors = ForcedColors.Active);
        foreach (var name in new[] { "overview", "runs", "run-failed", "run-running" })
        {
            await visit.Go(ExamplePages.Address(name, Catalog.Data));
            Assert.True(await visit.Read<bool>("() => matchMedia('(forced-colors: active)').matches"));
            var marks = await visit.Read<string[]>("""
                () => [...document.querySelectorAll(".status")].filter(mark => mark.checkVisibility()).map(mark => {
                    const paths = [...mark.querySelectorAll("svg path")];
                    const drawn = paths.some(path => getComputedStyle(path).fill !== "none" || getComputedStyle(path).stroke !== "none");
                    return drawn && mark.textContent.trim() !== "" ? "" : mark.outerHTML;
                })
                """);
            Assert.NotEmpty(marks);
            Assert.All(marks, mark => Assert.Equal("", mark));
        }
    }

    private sealed class Focus
    {
        public bool IsNew { get; set; }
        public string Name { get; set; } = "";
        public bool IsVisible { get; set; }
        public bool IsInView { get; set; }
    }
}
