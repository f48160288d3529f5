using Catalog.Api.Http;
using FluentValidation;

namespace Catalog.Api.Lineage;

internal class LineageQueryValidator<T> : AbstractValidator<T> where T : LineageQuery
{
    public LineageQueryValidator()
    {
        RuleFor(query => query.Direction).Word(["upstream", "downstream", "both"]);
        RuleFor(query => query.Depth).InclusiveBetween(0, LineageEndpoints.MaxDepth).WithMessage("must be from 0 to 1000.");
    }
}

internal sealed class LineageOfQueryValidator : LineageQueryValidator<LineageOfQuery>
{
    public LineageOfQueryValidator() => RuleFor(query => query.Dataset).NotEmpty().WithMessage("is required.").Text(2 * Validation.MaxDataset);
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
