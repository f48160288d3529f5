using FluentValidation;

namespace Catalog.Api.Pages;

/// <summary>The query parameters that each list page has in addition to those of the API's list.</summary>
public sealed record DownloadQuery
{
    /// <summary>Downloads what the page shows, as <c>csv</c> or <c>json</c>. Null shows the page.</summary>
    public string? Download { get; init; }
}

internal sealed class PageQueryValidator : AbstractValidator<DownloadQuery>
{
    public PageQueryValidator() => RuleFor(query => query.Download)
        .Must(format => format is null or "csv" or "json").WithMessage("must be csv or json.");
}
