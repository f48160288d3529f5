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
    public static ItemList<TItem> Of<TRow, TItem>(ListQuery query, Page<TRow> page, Func<TRow, TItem> item) =>
        new() { Items = [.. page.Items.Select(item)], NextCursor = page.Next?.ToText(query.List) };
}
