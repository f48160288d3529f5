using System.Text.Json.Serialization;
using Catalog.Data;
using FluentValidation;

namespace Catalog.Api.Http;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">The type of the items.</typeparam>
public sealed record ItemList<T>
{
    /// <summary>
    /// The items of this page, in the order of the list. The newest item comes first, unless the operation says
    /// otherwise.
    /// </summary>
    public required IReadOnlyList<T> Items { get; init; }

    /// <summary>Send this value as <c>cursor</c> to read the next page. Null on the last page.</summary>
    public string? NextCursor { get; init; }

    /// <summary>
    /// With <c>count=true</c>: the number of items on all pages, at most 10,000. Otherwise, and in lists without this
    /// parameter, it is left out.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Count { get; init; }

    /// <summary>Whether there are more items than <c>count</c>. Left out when <c>count</c> is left out.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? CountIsMinimum { get; init; }
}

/// <summary>A number of objects.</summary>
public sealed record CountItem
{
    /// <summary>The number of objects, at most 10,000.</summary>
    public required long Count { get; init; }

    /// <summary>Whether there are more objects than <c>count</c>.</summary>
    public required bool CountIsMinimum { get; init; }

    internal static CountItem From(RowCount count) => new() { Count = count.Value, CountIsMinimum = count.IsMinimum };
}

/// <summary>The query parameters of every list.</summary>
public abstract record ListQuery
{
    /// <summary>The name of the list. Every cursor contains it, so that a cursor of another list is rejected.</summary>
    internal abstract string List { get; }

    /// <summary>The maximum number of items on the page, 1 to 500. The default is 50.</summary>
    public int? Limit { get; init; }

    /// <summary>The <c>next_cursor</c> of the previous page. Clients must not interpret it.</summary>
    public string? Cursor { get; init; }

    internal int Take() => Limit ?? 50;

    internal Cursor? After() => Cursor is { } text && Catalog.Data.Cursor.TryParse(List, text, out var cursor) ? cursor : null;
}

/// <summary>The query parameters of a list that can count its items.</summary>
public abstract record CountedListQuery : ListQuery
{
    /// <summary>
    /// <c>true</c> adds <c>count</c>, the number of items that match the filters on all pages, and
    /// <c>count_is_minimum</c>.
    /// </summary>
    public bool? Count { get; init; }

    /// <summary>Counts the items when the client asks for the count; otherwise returns null.</summary>
    internal async Task<RowCount?> Counted(Func<Task<RowCount>> count) => Count is true ? await count() : null;
}

/// <summary>
/// The rules of <see cref="ListQuery"/>. The validator of each list adds the rules of its own parameters.
/// </summary>
internal abstract class ListQueryValidator<T> : AbstractValidator<T> where T : ListQuery
{
    protected ListQueryValidator()
    {
        RuleFor(query => query.Limit).InclusiveBetween(1, 500).WithMessage("must be from 1 to 500.");
        RuleFor(query => query.Cursor)
            .Must((query, text) => text is null || Catalog.Data.Cursor.TryParse(query.List, text, out _))
            .WithMessage(
                "is not a cursor of this list in this order; use next_cursor of the previous page with the same sort, or leave it out.");
    }
}

internal static class Lists
{
    public static ItemList<TItem> Of<TRow, TItem>(ListQuery query, Page<TRow> page, Func<TRow, TItem> item, RowCount? count = null) => new()
    {
        Items = [.. page.Items.Select(item)],
        NextCursor = page.Next?.ToText(query.List),
        Count = count?.Value,
        CountIsMinimum = count?.IsMinimum,
    };
}
