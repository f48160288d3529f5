namespace Catalog.Api.Pages.Drawing;

/// <summary>
/// The look of a status: a word, a shape and the class of its colour. Statuses that mean the same have the same shape.
/// All other shapes differ, so that nobody needs the colour to tell them apart.
/// </summary>
/// <param name="Class">The CSS class of the colour, such as <c>status-failed</c>. It never contains input.</param>
/// <param name="Word">The word for people.</param>
/// <param name="Fill">The SVG path of the filled part in a square of 14 by 14, or null.</param>
/// <param name="Line">The SVG path of the lines, or null.</param>
/// <param name="Glyph">The SVG path of lines on the filled part, in the colour of the background, or null.</param>
public sealed record StatusLook(string Class, string Word, string? Fill, string? Line, string? Glyph)
{
    private const string Ring = "M7 1a6 6 0 1 0 0 12a6 6 0 1 0 0-12z";
    private const string Disc = "M7 .4a6.6 6.6 0 1 0 0 13.2a6.6 6.6 0 1 0 0-13.2z";
    private const string Square = "M2 .8h10q1.2 0 1.2 1.2v10q0 1.2-1.2 1.2H2q-1.2 0-1.2-1.2V2Q.8 .8 2 .8z";
    private const string Tick = "M3.8 7.2l2.3 2.3 4.1-4.8";
    private const string Cross = "M4.4 4.4l5.2 5.2M9.6 4.4l-5.2 5.2";
    private const string Question = "M5.3 5.4a1.8 1.8 0 1 1 2.6 1.6q-.9.4-.9 1.3M7 10.2v.3";

    private static readonly Dictionary<string, StatusLook> Looks = new StatusLook[]
    {
        new("status-completed", "completed", Disc, null, Tick),
        new("status-pass", "pass", Disc, null, Tick),
        new("status-failed", "failed", Square, null, Cross),
        new("status-fail", "fail", Square, null, Cross),
        new("status-warn", "warn", "M7 .6l6.8 12.6H.2z", null, "M7 5v4M7 11v.3"),
        new("status-error", "error", "M7-.2L14.2 7 7 14.2-.2 7z", null, Question),
        new("status-running", "running", "M5.3 4l5 3-5 3z", Ring, null),
        new("status-pending", "pending", null, Ring + "M7 3.8V7.2l2.3 1.5", null),
        new("status-queued", "queued", "M3.2 6.2h1.7v1.7H3.2zM6.15 6.2h1.7v1.7h-1.7zM9.1 6.2h1.7v1.7H9.1z", Ring, null),
        new("status-cancelled", "cancelled", null, Ring + "M2.8 11.2l8.4-8.4", null),
        new("status-skipped", "skipped", null, "M2.2 3l4 4-4 4M7.6 3l4 4-4 4", null),
    }.ToDictionary(look => look.Word, StringComparer.Ordinal);

    private static readonly StatusLook None = new("status-none", "no run", null, "M3 7h8", null);

    /// <summary>Whether the status needs attention: failed, fail or error.</summary>
    public bool IsFailure => Class is "status-failed" or "status-fail" or "status-error";

    /// <summary>The statuses with a look of their own.</summary>
    public static IReadOnlyCollection<string> Words => Looks.Keys;

    /// <summary>
    /// The look of a status. Null is "no run"; an unknown word is shown as it is, with a question mark.
    /// </summary>
    public static StatusLook Of(string? status)
    {
        if (status is null)
        {
            return None;
        }

        return Looks.TryGetValue(status, out var look)
            ? look
            : new StatusLook("status-unknown", DisplayText.Shorten(status, 40), null, Ring + Question, null);
    }
}
