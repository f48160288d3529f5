using Catalog.Api.Http;
using FluentValidation;

namespace Catalog.Api.Lineage;

internal abstract class LineageFieldsValidator<T> : AbstractValidator<T> where T : LineageQuery
{
    protected LineageFieldsValidator()
    {
        RuleFor(query => query.Direction).OneOf(["upstream", "downstream", "both"]);
        RuleFor(query => query.Depth).InclusiveBetween(0, LineageEndpoints.MaxDepth).WithMessage("must be from 0 to 1000.");
    }
}

internal sealed class LineageQueryValidator : LineageFieldsValidator<LineageQuery>;

internal sealed class LineageByDatasetQueryValidator : LineageFieldsValidator<LineageByDatasetQuery>
{
    public LineageByDatasetQueryValidator() => RuleFor(query => query.Dataset).NotEmpty().WithMessage("is required.")
        .Text(2 * Validation.MaxDataset);
}

internal sealed class LineagePathQueryValidator : AbstractValidator<LineagePathQuery>
{
    public LineagePathQueryValidator()
    {
        RuleFor(query => query.From).NotEmpty().WithMessage("is required.").Text(2 * Validation.MaxDataset);
        RuleFor(query => query.To).NotEmpty().WithMessage("is required.").Text(2 * Validation.MaxDataset);
        RuleFor(query => query.Depth).InclusiveBetween(0, LineageEndpoints.MaxDepth).WithMessage("must be from 0 to 1000.");
    }
}

internal sealed class ImpactQueryValidator : AbstractValidator<ImpactQuery>
{
    public ImpactQueryValidator() =>
        RuleFor(query => query.Depth).InclusiveBetween(0, LineageEndpoints.MaxDepth).WithMessage("must be from 0 to 1000.");
}

internal sealed class DatasetQueryValidator : ListQueryValidator<DatasetQuery>
{
    public DatasetQueryValidator() => RuleFor(query => query.Namespace).Text(Validation.MaxDataset);
}
