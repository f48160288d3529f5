using System.Globalization;
using System.Reflection;
using Catalog.Api.Http;
using Catalog.Data.Runs;

namespace Catalog.Api.Marquez;

/// <summary>
/// The query parameters of Marquez's API, which are camelCase and may be empty. Unknown parameters are ignored, as in
/// Marquez. Each method reads one parameter. <see cref="Problem"/> is about the first parameter that cannot be read.
/// </summary>
internal sealed class MarquezQuery(IQueryCollection query)
{
    /// <summary>The maximum of <c>limit</c>.</summary>
    public const int MaxLimit = 200;

    /// <summary>The maximum of <c>offset</c>.</summary>
    public const int MaxOffset = 10_000;

    /// <summary>The maximum of <c>depth</c>.</summary>
    public const int MaxDepth = 100;

    private static readonly Dictionary<string, string[]> States = new(StringComparer.OrdinalIgnoreCase)
    {
        ["NEW"] = [RunStatus.Pending],
        ["RUNNING"] = [RunStatus.Running],
        ["COMPLETED"] = [RunStatus.Completed],
        ["FAILED"] = [RunStatus.Failed],
        ["ABORTED"] = [RunStatus.Cancelled, RunStatus.Skipped],
    };

    public static ValueTask<MarquezQuery> BindAsync(HttpContext context, ParameterInfo parameter) =>
        ValueTask.FromResult(new MarquezQuery(context.Request.Query));

    /// <summary>The answer to the first unreadable parameter; null when all are readable.</summary>
    public Problem? Problem { get; private set; }

    public int Limit(int otherwise = 100) => Number("limit", otherwise, 1, MaxLimit);

    public int Offset() => Number("offset", 0, 0, MaxOffset);

    public int Depth() => Number("depth", 20, 0, MaxDepth);

    /// <summary>A text; null when it is absent or empty.</summary>
    public string? Text(string name) => query[name].FirstOrDefault() is { Length: > 0 } text ? text : null;

    /// <summary>A required text. Without it the request is rejected, and the result is empty.</summary>
    public string Required(string name)
    {
        if (Text(name) is not { } text)
        {
            Refuse($"The parameter {name} is required.");
            return "";
        }

        return text;
    }

    /// <summary>
    /// One of the words, in any letter case. Without the parameter the result is <paramref name="otherwise"/>; if this
    /// is not one of the words either, the request is rejected.
    /// </summary>
    public string Word(string name, string otherwise, params string[] words)
    {
        var word = Text(name)?.ToUpperInvariant() ?? otherwise;
        if (!words.Contains(word))
        {
            Refuse($"{name} must be one of {string.Join(", ", words)}.");
        }

        return word;
    }

    public bool IsTrue(string name) => Text(name)?.Equals("true", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>The statuses of the states in <c>lastRunStates</c>; null when it is absent.</summary>
    public List<string>? LastRunStatuses()
    {
        var states = query["lastRunStates"].OfType<string>().Where(state => state.Length > 0).ToList();
        if (states.Find(state => !States.ContainsKey(state)) is not null)
        {
            Refuse($"lastRunStates must be one of {string.Join(", ", States.Keys)}.");
            return null;
        }

        return states.Count == 0 ? null : [.. states.SelectMany(state => States[state]).Distinct()];
    }

    /// <summary>A time or a date. A time without an offset is in UTC.</summary>
    public DateTimeOffset Time(string name, DateTimeOffset otherwise)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time))
        {
            return time;
        }

        Refuse($"{name} must be a time such as 2026-01-31T08:00:00Z, or a date such as 2026-01-31.");
        return otherwise;
    }

    /// <summary>A time zone by its IANA name; UTC when it is absent.</summary>
    public TimeZoneInfo TimeZone()
    {
        if (Text("timezone") is not { } id)
        {
            return TimeZoneInfo.Utc;
        }

        if (TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone))
        {
            return zone;
        }

        Refuse("timezone must be a name such as Europe/Berlin.");
        return TimeZoneInfo.Utc;
    }

    /// <summary>Rejects the request. Only the message of the first call is used.</summary>
    public void Refuse(string message) => Problem ??= MarquezJson.Invalid(message);

    private int Number(string name, int otherwise, int least, int most)
    {
        if (Text(name) is not { } text)
        {
            return otherwise;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least
            && number <= most)
        {
            return number;
        }

        Refuse($"{name} must be a whole number from {least} to {most}.");
        return otherwise;
    }
}
