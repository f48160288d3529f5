using Catalog.Api.Http;
using Catalog.Data.Organizations;
using FluentValidation;

namespace Catalog.Api.Billing;

/// <summary>A plan to begin paying for.</summary>
public sealed record PostCheckout
{
    /// <summary>team or business.</summary>
    public string? Plan { get; init; }
}

/// <summary>A page at Stripe where somebody of the organization goes on.</summary>
public sealed record BillingPage
{
    /// <summary>The page's address: send a person's browser there soon, it does not live long.</summary>
    public required string Url { get; init; }
}

internal sealed class PostCheckoutValidator : AbstractValidator<PostCheckout>
{
    public PostCheckoutValidator() =>
        RuleFor(checkout => checkout.Plan).NotNull().WithMessage("is required.").Word([Plan.Team.Name, Plan.Business.Name]);
}
