using Catalog.Api.Http;
using Catalog.Data.Organizations;
using FluentValidation;

namespace Catalog.Api.Billing;

/// <summary>The plan to subscribe to.</summary>
public sealed record PostCheckout
{
    /// <summary><c>team</c> or <c>business</c>.</summary>
    public string? Plan { get; init; }
}

/// <summary>A page at Stripe where a person of the organization continues.</summary>
public sealed record BillingPage
{
    /// <summary>The URL of the page. Open it in a person's browser soon, because it expires.</summary>
    public required string Url { get; init; }
}

internal sealed class PostCheckoutValidator : AbstractValidator<PostCheckout>
{
    public PostCheckoutValidator() =>
        RuleFor(checkout => checkout.Plan).NotNull().WithMessage("is required.").OneOf([Plan.Team.Name, Plan.Business.Name]);
}
