using Catalog.Api.Http;
using Catalog.Data.Checks;
using Catalog.Data.Schedules;
using FluentValidation;
using Microsoft.OpenApi;

namespace Catalog.Api.Checks;

internal abstract class CheckFieldsValidator<T> : AbstractValidator<T> where T : PutCheck
{
    protected CheckFieldsValidator()
    {
        RuleFor(check => check.Dataset).DatasetName();
        RuleFor(check => check.ConnectionId).OptionalKey();
        RuleFor(check => check.Kind).OptionalKey();
        RuleFor(check => check.Kind).NotNull().When(check => check.Sql is null).WithMessage("is required when there is no sql.");
        RuleFor(check => check.Column).OptionalKey();
        RuleForEach(check => check.Columns).Key();
        RuleFor(check => check.Params).Object();
        RuleFor(check => check.Sql).Text(Validation.MaxMessage);
        RuleFor(check => check.Severity).OneOf(CheckSeverity.All);
        RuleFor(check => check.Warn)
            .SetValidator(new JsonRule<T>(JsonSchemaType.Number | JsonSchemaType.Object, "must be a number or an object."));
        RuleFor(check => check.Fail)
            .SetValidator(new JsonRule<T>(JsonSchemaType.Number | JsonSchemaType.Object, "must be a number or an object."));
        RuleFor(check => check.Schedule).SetValidator(new FormatRule<T>("cron", Cron.IsValid, Cron.Message));
    }
}

internal sealed class PutCheckValidator : CheckFieldsValidator<PutCheck>;

internal sealed class PostCheckValidator : CheckFieldsValidator<PostCheck>
{
    public PostCheckValidator()
    {
        RuleFor(check => check.Id).Key().Must(id => id is not "results").WithMessage("must not be results, which is a path of the API.");
        RuleFor(check => check.PipelineId).OptionalKey();
    }
}

internal sealed class CheckQueryValidator : ListQueryValidator<CheckQuery>
{
    public CheckQueryValidator()
    {
        RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
        RuleFor(query => query.Dataset).Text(Validation.MaxDataset);
        RuleFor(query => query.Kind).Text(Validation.MaxKey);
        RuleFor(query => query.Severity).OneOf(CheckSeverity.All);
        RuleFor(query => query.Status).OneOf(CheckStatus.Words);
    }
}

internal sealed class CheckSelectorValidator : AbstractValidator<CheckSelector>
{
    public CheckSelectorValidator() => RuleFor(selector => selector.PipelineId).Text(Validation.MaxKey);
}

internal sealed class HistoryQueryValidator : ListQueryValidator<HistoryQuery>
{
    public HistoryQueryValidator() => RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
}
