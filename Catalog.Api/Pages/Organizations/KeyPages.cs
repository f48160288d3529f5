using System.Globalization;
using Catalog.Api.Http;
using Catalog.Api.Organizations;
using Catalog.Api.SignIn;
using Catalog.Data;
using Catalog.Data.Organizations;
using FluentValidation;

namespace Catalog.Api.Pages.Organizations;

/// <summary>API keys: list, create, rotate and revoke. A new key is shown once, in the answer to the form.</summary>
internal static class KeyPages
{
    public static void MapKeyPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/keys", List).RequiresSession(Scopes.Manage).ReadsPage<ApiKeyQuery>();
        pages.MapGet("/keys/{id}", Show).RequiresSession(Scopes.Manage);
        pages.MapPost("/keys", Create).RequiresSession(Scopes.Manage).DisableAntiforgery().RequiresForm();
        pages.MapPost("/keys/{id}/rotate", Rotate).RequiresSession(Scopes.Manage).DisableAntiforgery().RequiresForm();
        pages.MapPost("/keys/{id}/revoke", Revoke).RequiresSession(Scopes.Manage).DisableAntiforgery().RequiresForm();
    }

    private static async Task<IResult> List([AsParameters] ApiKeyQuery query, [AsParameters] DownloadQuery page, Caller caller,
        ApiKeyRepository keys, TimeProvider time, HttpContext context, CancellationToken ct)
    {
        var list = await Read(query, caller, keys, time, ct);
        return page.Download is { } format
            ? Download.Of(format, "keys", list, context, ("id", key => key.Id), ("name", key => key.Name),
                ("scopes", key => string.Join(' ', key.Scopes)), ("status", key => key.Status), ("created_at", key => key.CreatedAt),
                ("created_by", key => key.CreatedBy), ("last_used_at", key => key.LastUsedAt), ("expires_at", key => key.ExpiresAt),
                ("revoked_at", key => key.RevokedAt), ("replaced_by", key => key.ReplacedBy))
            : PageResult.Of<KeyListPage>((nameof(KeyListPage.Keys), list));
    }

    private static async Task<IResult> Show(PathId id, Caller caller, ApiKeyRepository keys, TimeProvider time, CancellationToken ct) =>
        await keys.Find(caller.Organization, id.Value, ct) is { } key
            ? PageResult.Of<KeyPage>((nameof(KeyPage.Key), ApiKeyItem.From(key, time.Now())))
            : Problems.NotFound("key");

    private static async Task<IResult> Create(IFormCollection form, Caller caller, ApiKeyIssuer issuer, ApiKeyRepository keys,
        IValidator<PostApiKey> validator, TimeProvider time, CancellationToken ct)
    {
        var posted = new PostApiKey
        {
            Name = form["name"].ToString() is { Length: > 0 } name ? name : null,
            Scopes = [.. form["scopes"]],
            ExpiresInSeconds = Seconds(form["expires"]),
        };
        if (validator.Errors(posted) is { } errors)
        {
            return PageResult.Of<KeyListPage>(StatusCodes.Status422UnprocessableEntity,
                (nameof(KeyListPage.Keys), await Read(new(), caller, keys, time, ct)), (nameof(KeyListPage.Posted), posted),
                (nameof(KeyListPage.Errors), errors));
        }

        // Reloading the answer sends the form again. Its field "form" is the idempotency key, so the second request
        // counts as a repeat of the first.
        var text = form["form"].ToString();
        var repeat = new IdempotencyKey(text, text is { Length: > 0 and <= 64 } && text.All(char.IsAsciiLetterOrDigit));
        var (key, problem) = await issuer.Add(caller.Organization, posted, repeat, caller, ct);
        return key is null ? problem! : PageResult.Of<NewKeyPage>((nameof(NewKeyPage.Key), key));
    }

    private static async Task<IResult> Rotate(PathId id, IFormCollection form, Caller caller, ApiKeyIssuer issuer,
        IValidator<RotationQuery> validator, CancellationToken ct)
    {
        var rotation = new RotationQuery { OverlapSeconds = (int?)Math.Min(int.MaxValue, Seconds(form["overlap"]) ?? -1) };
        if (validator.Errors(rotation) is { } errors)
        {
            return Problems.Invalid(errors);
        }

        var (key, problem) = await issuer.Rotate(id.Value, rotation, caller, ct);
        return key is null ? problem! : PageResult.Of<NewKeyPage>((nameof(NewKeyPage.Key), key), (nameof(NewKeyPage.Replaces), id.Value));
    }

    private static async Task<IResult> Revoke(PathId id, IFormCollection form, Caller caller, ApiKeyRepository keys, ApiKeyIssuer issuer,
        CancellationToken ct)
    {
        if (await keys.Find(caller.Organization, id.Value, ct) is not { } key)
        {
            return Problems.NotFound("key");
        }

        return form["name"].ToString().Trim() != key.Name.Trim()
            ? Problems.Invalid("name", "is not the name of this key. Nothing was revoked; type the name as it is shown.")
            : await issuer.Revoke(id.Value, caller, ct) ? TypedResults.LocalRedirect(Links.Keys)
            : Problems.NotFound("live key");
    }

    private static async Task<ItemList<ApiKeyItem>> Read(ApiKeyQuery query, Caller caller, ApiKeyRepository keys, TimeProvider time,
        CancellationToken ct) =>
        Lists.Of(query, await keys.List(caller.Organization, query.After(), query.Take(), ct), key => ApiKeyItem.From(key, time.Now()));

    // Empty text gives null. Text that is not a number gives a number that the validator rejects.
    private static long? Seconds(string? text) => string.IsNullOrEmpty(text) ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : -1;
}
