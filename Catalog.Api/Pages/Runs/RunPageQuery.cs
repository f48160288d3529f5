using Catalog.Api.Http;
using FluentValidation;

namespace Catalog.Api.Pages.Runs;

/// <summary>The query parameters of a run's page.</summary>
public sealed record RunPageQuery
{
    /// <summary>
    /// <c>all</c> shows every stage. Null shows at most 200 stages; if there are more, failed and running stages come
    /// first.
    /// </summary>
    public string? Stages { get; init; }

    /// <summary>
    /// Downloads a text of the run: <c>error</c>, <c>metadata</c>, <c>stage</c> or <c>event</c>. Null shows the page.
    /// </summary>
    public string? Download { get; init; }

    /// <summary>The name of the stage, or the id of the event, whose text is downloaded.</summary>
    public string? Of { get; init; }
}

internal sealed class RunPageQueryValidator : AbstractValidator<RunPageQuery>
{
    public RunPageQueryValidator()
    {
        RuleFor(query => query.Download).OneOf(RunTexts.All);
        RuleFor(query => query.Of).Text(Validation.MaxKey);
    }
}
