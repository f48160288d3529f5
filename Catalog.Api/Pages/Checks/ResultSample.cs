using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;

namespace Catalog.Api.Pages.Checks;

/// <summary>Rows that violate a check, from the metadata of a result.</summary>
/// <param name="Columns">The names of the columns, at most <see cref="MaxColumns"/>.</param>
/// <param name="Rows">The cells of each row as text; null where the row does not have the column.</param>
internal sealed record ResultSample(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string?>> Rows)
{
    private const int MaxColumns = 20;
    private const int MaxRows = 100;
    private const int MaxText = 200;

    /// <summary>Reads the sample of a result.</summary>
    /// <param name="metadata">The metadata of the result, which another program may have sent.</param>
    /// <returns>The sample; null when the metadata has none, or when it is not a list of objects.</returns>
    public static ResultSample? Of(RawJson? metadata)
    {
        if (metadata is not { } raw)
        {
            return null;
        }

        using var json = JsonDocument.Parse(raw.Text);
        if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("samples", out var samples)
            || samples.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var rows = samples.EnumerateArray().Take(MaxRows).ToList();
        if (rows.Count == 0 || rows.Exists(row => row.ValueKind != JsonValueKind.Object))
        {
            return null;
        }

        var columns = rows.SelectMany(row => row.EnumerateObject().Select(cell => cell.Name)).Distinct(StringComparer.Ordinal)
            .Take(MaxColumns).ToList();
        return new(columns, [.. rows.Select(row =>
            columns.ConvertAll(column => row.TryGetProperty(column, out var cell) ? Text(cell) : null))]);
    }

    private static string? Text(JsonElement cell)
    {
        var text = cell.ValueKind switch
        {
            JsonValueKind.Null => "null",
            JsonValueKind.String => cell.GetString()!,
            _ => cell.GetRawText(),
        };
        return text.Length <= MaxText ? text : StoredText.Cut(text, MaxText) + "…";
    }
}
