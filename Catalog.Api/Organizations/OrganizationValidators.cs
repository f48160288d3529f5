using Catalog.Api.Http;
using Catalog.Data.Organizations;
using FluentValidation;

namespace Catalog.Api.Organizations;

internal sealed class PatchOrganizationValidator : AbstractValidator<PatchOrganization>
{
    internal static readonly string[] Plans = [.. Plan.All.Select(plan => plan.Name)];

    public PatchOrganizationValidator()
    {
        RuleFor(organization => organization.Name).OptionalKey();
        RuleFor(organization => organization.Plan).OneOf(Plans);
    }
}

internal sealed class PostOrganizationValidator : AbstractValidator<PostOrganization>
{
    public PostOrganizationValidator()
    {
        RuleFor(organization => organization.Id)
            .NotNull().WithMessage("is required.")
            .SetValidator(
                new FormatRule<PostOrganization>("organization-id", id =>
                    Organization.IsId(id) && !id.Equals("me", StringComparison.OrdinalIgnoreCase),
                    "must be 1 to 64 letters, digits, -, _ and ., beginning with a letter or digit; me is not allowed."));
        RuleFor(organization => organization.Name).Key();
        RuleFor(organization => organization.Plan).OneOf(PatchOrganizationValidator.Plans);
    }
}

internal sealed class PutRetentionValidator : AbstractValidator<PutRetention>
{
    public PutRetentionValidator()
    {
        RuleFor(retention => retention.RunsKeptDays).InclusiveBetween(1, RetentionDays.MaxDays).WithMessage(Range);
        RuleFor(retention => retention.ResultsKeptDays).InclusiveBetween(1, RetentionDays.MaxDays).WithMessage(Range);
        RuleFor(retention => retention.EventsKeptDays).InclusiveBetween(1, RetentionDays.MaxDays).WithMessage(Range);
    }

    private static string Range => $"must be from 1 to {RetentionDays.MaxDays}, or null for the operator's setting.";
}

internal sealed class PostApiKeyValidator : AbstractValidator<PostApiKey>
{
    public PostApiKeyValidator()
    {
        RuleFor(key => key.Name).Key();
        RuleFor(key => key.Scopes)
            .SetValidator(new NotEmptyRule<PostApiKey, string?>("must contain at least one scope; leave it out for read and write."));
        RuleForEach(key => key.Scopes).NotNull().WithMessage("must be text, not null.").OneOf(Http.Scopes.All);
        RuleFor(key => key.ExpiresInSeconds).InclusiveBetween(1, 10L * 365 * 24 * 60 * 60).WithMessage("must be from 1 to 315360000.");
    }
}

internal sealed class RotationQueryValidator : AbstractValidator<RotationQuery>
{
    public RotationQueryValidator() =>
        RuleFor(rotation => rotation.OverlapSeconds).InclusiveBetween(0, 30 * 24 * 60 * 60).WithMessage("must be from 0 to 2592000.");
}

internal sealed class ApiKeyQueryValidator : ListQueryValidator<ApiKeyQuery>;

internal sealed class AuditQueryValidator : ListQueryValidator<AuditQuery>
{
    public AuditQueryValidator()
    {
        RuleFor(query => query.Actor).Text(1024);
        RuleFor(query => query.Action).Text(Validation.MaxKey);
    }
}
