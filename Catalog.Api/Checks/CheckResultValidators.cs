using Catalog.Api.Http;
using Catalog.Data.Checks;
using FluentValidation;

namespace Catalog.Api.Checks;

internal sealed class PostCheckResultValidator : AbstractValidator<PostCheckResult>
{
    public PostCheckResultValidator()
    {
        RuleFor(result => result.Id).OptionalKey();
        RuleFor(result => result.PipelineId).Key();
        RuleFor(result => result.CheckId).Key();
        RuleFor(result => result.RunId).OptionalKey();
        RuleFor(result => result.Status).OneOf(CheckStatus.Words);
        RuleFor(result => result.Status).NotNull().When(result => result.Success is null).WithMessage("is required, or success in its place.");
        RuleFor(result => result.Success)
            .Must((result, success) => success is null || result.Status is null || !CheckStatus.Words.TryGetValue(result.Status, out var word) || success == word is CheckStatus.Pass || word is CheckStatus.Warn)
            .WithMessage("says something else than status; leave one of the two out.");
        RuleFor(result => result.Severity).OneOf(CheckSeverity.All);
        RuleFor(result => result.Dataset).DatasetName();
        RuleFor(result => result.FailedRows).Count();
        RuleFor(result => result.TotalRows).Count();
        RuleFor(result => result.Message).Text(Validation.MaxMessage);
        RuleFor(result => result.DurationSeconds).InclusiveBetween(0, double.MaxValue).WithMessage("must be 0 or more, and finite.");
        RuleFor(result => result.ObservedValue).Value();
        RuleFor(result => result.Expected).Value();
        RuleFor(result => result.Metadata).Object();
    }
}

internal sealed class CheckResultQueryValidator : ListQueryValidator<CheckResultQuery>
{
    public CheckResultQueryValidator()
    {
        RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
        RuleFor(query => query.CheckId).Text(Validation.MaxKey);
        RuleFor(query => query.RunId).Text(Validation.MaxKey);
        RuleFor(query => query.Dataset).DatasetName();
        RuleFor(query => query.Status).OneOf(CheckStatus.Words);
        RuleFor(query => query.Severity).OneOf(CheckSeverity.All);
    }
}
