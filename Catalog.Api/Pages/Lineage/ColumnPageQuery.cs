using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Api.Lineage;
using FluentValidation;

namespace Catalog.Api.Pages.Lineage;

/// <summary>The query parameters of the page about the lineage of columns.</summary>
public sealed record ColumnPageQuery
{
    /// <summary>The dataset's id.</summary>
    public string? Dataset { get; init; }

    /// <summary>The column; null for all columns of the dataset.</summary>
    public string? Column { get; init; }

    /// <summary>The maximum number of hops, 1 to 20; null for 3.</summary>
    public int? Depth { get; init; }

    internal int Hops => Depth ?? 3;
}

internal sealed class ColumnPageQueryValidator : AbstractValidator<ColumnPageQuery>
{
    public ColumnPageQueryValidator()
    {
        RuleFor(query => query.Dataset).NotEmpty().WithMessage("is required.").Text(2 * Validation.MaxDataset);
        RuleFor(query => query.Column).Text(ColumnLineageEndpoint.MaxColumn);
        RuleFor(query => query.Depth).InclusiveBetween(1, 20).WithMessage("must be from 1 to 20.");
    }
}

/// <summary>Describes how a column is made from another column. Events may report this in any shape.</summary>
internal static class Transformations
{
    /// <summary>
    /// The kinds of transformation in words, such as <c>direct: aggregation</c>; a dash when none is reported.
    /// </summary>
    public static string Describe(RawJson? transformations)
    {
        using var json = JsonDocument.Parse(transformations?.Text ?? "null");
        var kinds = json.RootElement.ValueKind != JsonValueKind.Array ? [] : json.RootElement.EnumerateArray()
            .Select(kind => string.Join(": ", new[] { Text(kind, "type"), Text(kind, "subtype") }.OfType<string>())
                + (kind.ValueKind == JsonValueKind.Object && kind.TryGetProperty("masking", out var masking)
                    && masking.ValueKind == JsonValueKind.True ? ", masked" : ""))
            .Where(kind => kind.Length > 0).Distinct(StringComparer.Ordinal).Take(5).ToList();
        return kinds.Count == 0 ? "–" : string.Join("; ", kinds);
    }

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? DisplayText.Clean(value.GetString()!).ToLowerInvariant() : null;
}
