using System.Globalization;
using System.Text;
using Catalog.Api.Http;
using Microsoft.Net.Http.Headers;

namespace Catalog.Api.Pages;

/// <summary>Downloads of what a list page shows.</summary>
internal static class Download
{
    /// <summary>The items as CSV (RFC 4180) or as the JSON of the API.</summary>
    /// <param name="format"><c>csv</c> or <c>json</c>.</param>
    /// <param name="name">The file's name without its extension.</param>
    /// <param name="list">The items of the page.</param>
    /// <param name="context">The request.</param>
    /// <param name="columns">The CSV columns: a name and the value of an item. Times are written in UTC.</param>
    public static IResult Of<T>(string format, string name, ItemList<T> list, HttpContext context,
        params (string Name, Func<T, object?> Value)[] columns)
    {
        context.Response.Headers.ContentDisposition =
            new ContentDispositionHeaderValue("attachment") { FileName = $"{name}.{format}" }.ToString();
        return format == "json"
            ? TypedResults.Json(list, ApiJson.Options)
            : TypedResults.Text(Csv(list.Items, columns), "text/csv; charset=utf-8", Encoding.UTF8);
    }

    /// <summary>A text exactly as it is stored, as a file of plain text.</summary>
    /// <param name="name">The file's name without its extension.</param>
    /// <param name="text">The text.</param>
    /// <param name="context">The request.</param>
    public static IResult Text(string name, string text, HttpContext context)
    {
        context.Response.Headers.ContentDisposition =
            new ContentDispositionHeaderValue("attachment") { FileName = $"{name}.txt" }.ToString();
        return TypedResults.Text(text, "text/plain; charset=utf-8", Encoding.UTF8);
    }

    private static string Csv<T>(IReadOnlyList<T> items, (string Name, Func<T, object?> Value)[] columns)
    {
        var text = new StringBuilder();
        text.AppendJoin(',', columns.Select(column => column.Name)).Append("\r\n");
        foreach (var item in items)
        {
            text.AppendJoin(',', columns.Select(column => Cell(column.Value(item)))).Append("\r\n");
        }

        return text.ToString();
    }

    private static string Cell(object? value) => value switch
    {
        null => "",
        DateTimeOffset time => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        string text => Quote(text),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => Quote(value.ToString() ?? ""),
    };

    // A spreadsheet takes a text that begins with one of these characters as a formula (OWASP, CSV injection).
    private static string Quote(string text)
    {
        var safe = text.TrimStart(' ') is ['=' or '+' or '-' or '@' or '\t' or '\r' or '\n', ..] ? "'" + text : text;
        return safe.AsSpan().ContainsAny("\",\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
