using Catalog.Data;
using FluentValidation;

namespace Catalog.Api.Http;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">What is listed.</typeparam>
public sealed record ItemList<T>
{
    /// <summary>In the list's order, newest first unless said otherwise.</summary>
    public required IReadOnlyList<T> Items { get; init; }

    /// <summary>Send it as <c>cursor</c> for the next page; null when this was the last.</summary>
    public string? NextCursor { get; init; }
}

/// <summary>What every list takes.</summary>
public abstract record ListQuery
{
    /// <summary>The list's name, which its cursors carry.</summary>
    internal abstract string List { get; }

    /// <summary>How many items at most, 1 to 500; 50 unless given.</summary>
    public int? Limit { get; init; }

    /// <summary>The <c>next_cursor</c> of the page before; opaque.</summary>
    public string? Cursor { get; init; }

    internal int Take() => Limit ?? 50;

    internal Cursor? After() => Cursor is { } text && Catalog.Data.Cursor.TryParse(List, text, out var cursor) ? cursor : null;
}

/// <summary>The rules of <see cref="ListQuery"/>, which each list's own query adds to.</summary>
internal abstract class ListQueryValidator<T> : AbstractValidator<T> where T : ListQuery
{
    protected ListQueryValidator()
    {
        RuleFor(query => query.Limit).InclusiveBetween(1, 500).WithMessage("must be from 1 to 500.");
        RuleFor(query => query.Cursor)
            .Must((query, text) => text is null || Catalog.Data.Cursor.TryParse(query.List, text, out _))
            .WithMessage("is not a cursor of this list in this order; take next_cursor of the page before, with the same sort, or leave it out.");
    }
}

internal static class Lists
{
    public static ItemList<TItem> Of<TRow, TItem>(ListQuery query, Page<TRow> page, Func<TRow, TItem> item) =>
        new() { Items = [.. page.Items.Select(item)], NextCursor = page.Next?.ToText(query.List) };
}
