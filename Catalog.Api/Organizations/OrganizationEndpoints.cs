using System.Text.Json;
using Catalog.Api.Authentication;
using Catalog.Api.Background;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Organizations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Organizations;

internal static class OrganizationEndpoints
{
    public static IServiceCollection AddOrganizations(this IServiceCollection services) => services
        .AddSingleton<RequestRates>()
        .AddSingleton<ApiKeyIssuer>()
        .AddSingleton<OrganizationDetails>()
        .AddRecurring<RateMerging>();

    public static void MapOrganizations(this IEndpointRouteBuilder routes)
    {
        var organizations = routes.MapGroup("/organizations").WithTags("Organizations");

        organizations.MapPost("/", Post).WithName("RegisterOrganization").Requires(Scopes.Operator).Reads<PostOrganization>()
            .Produces<RegisteredOrganization>(201).Produces<RegisteredOrganization>(200).Refuses(409)
            .WithSummary("Register an organization; only this response contains its first key");
        organizations.MapGet("/{id}", Get).WithName("GetOrganization").Requires(Scopes.Operator).HasETag().Produces<OrganizationItem>()
            .Refuses(404)
            .WithSummary("Read an organization: its plan, limits and usage");
        organizations.MapPatch("/{id}", Patch).WithName("ChangeOrganization").Requires(Scopes.Operator).Reads<PatchOrganization>()
            .Produces<OrganizationItem>().Refuses(404, 409).WithSummary("Change an organization's name or plan");
        organizations.MapPut("/{id}/retention", PutRetention).WithName("ReplaceOrganizationRetention").Requires(Scopes.Operator)
            .Reads<PutRetention>()
            .Produces<OrganizationItem>().Refuses(404, 409).WithSummary("Change for how many days an organization's data is kept");
        organizations.MapGet("/me", GetMine).WithName("GetMyOrganization").Requires(Scopes.Read).HasETag().Produces<OrganizationItem>()
            .Refuses(404)
            .WithSummary("Read the caller's organization: its plan, limits and usage");
        organizations.MapOtherMethods("/me", HttpMethods.Get);
        organizations.MapPut("/me/retention", PutMyRetention).WithName("ReplaceRetention").Requires(Scopes.Manage).Reads<PutRetention>()
            .Produces<OrganizationItem>().Refuses(404, 409)
            .WithSummary("Change for how many days the data of the caller's organization is kept");
        organizations.MapGet("/me/audit-log", AuditLog).WithName("ListAuditLog").Requires(Scopes.Manage).ReadsQuery<AuditQuery>()
            .WithSummary("List the audit log, newest first");
    }

    private static async Task<IResult> Post(Body<PostOrganization> body, Caller caller, OrganizationRepository organizations,
        TimeProvider time, CancellationToken ct)
    {
        var now = time.Now();
        var organization = new Organization
        {
            Id = body.Value.Id!,
            Name = body.Value.Name!,
            Plan = body.Value.Plan ?? Plan.Free.Name,
            CreatedAt = now,
            UpdatedAt = now
        };
        var text = KeyText.New();
        var key = ApiKeyIssuer.NewKey(text, organization.Id, "first key", Scopes.All, null, caller, now);
        if (organization.Id != Organization.Default && await organizations.Insert(
            organization, key, caller.NewAuditEntry("organization", organization.Id, "created", time, Detail(null, organization.Plan)), ct))
        {
            var first = new FirstKey { Id = key.Id, Key = text.ToText(), Scopes = Scopes.All };
            return TypedResults.Created($"/api/v1/organizations/{organization.Id}", RegisteredOrganization.From(organization, first));
        }

        var existing = await organizations.Find(organization.Id, ct);
        return existing is not null && (existing.Name, existing.Plan) == (organization.Name, organization.Plan)
            ? TypedResults.Ok(RegisteredOrganization.From(existing, null))
            : Problems.IdTaken("organization", organization.Id);
    }

    private static Task<IResult> Get(PathId id, OrganizationDetails details, CancellationToken ct) => Read(id.Value, details, ct);

    private static Task<IResult> GetMine(Caller caller, OrganizationDetails details, CancellationToken ct) =>
        Read(caller.Organization, details, ct);

    private static async Task<IResult> Read(string id, OrganizationDetails details, CancellationToken ct) =>
        await details.Find(id, ct) is { } organization ? TypedResults.Ok(organization) : Problems.OrganizationNotFound();

    private static async Task<IResult> Patch(
        PathId id, Body<PatchOrganization> body, Caller caller, OrganizationRepository organizations, PlanCache known,
        OrganizationDetails details, TimeProvider time, CancellationToken ct)
    {
        if (id.Value == Organization.Default)
        {
            return Problems.DefaultOrganization();
        }

        var entry = caller.NewAuditEntry("organization", id.Value, "changed", time, Detail(body.Value.Name, body.Value.Plan));
        if (!Organization.IsId(id.Value) || !await organizations.Change(id.Value, body.Value.Name, body.Value.Plan, entry, ct))
        {
            return Problems.OrganizationNotFound();
        }

        known.Forget(id.Value);
        return await Read(id.Value, details, ct);
    }

    private static Task<IResult> PutRetention(
        PathId id, Body<PutRetention> body, Caller caller, OrganizationDetails details, CancellationToken ct) =>
        SetRetention(id.Value, body.Value, caller, details, ct);

    private static Task<IResult> PutMyRetention(
        Body<PutRetention> body, Caller caller, OrganizationDetails details, CancellationToken ct) =>
        SetRetention(caller.Organization, body.Value, caller, details, ct);

    private static async Task<IResult> SetRetention(
        string id, PutRetention retention, Caller caller, OrganizationDetails details, CancellationToken ct) =>
        await details.SetRetention(id, retention, caller, ct) is { } problem ? problem : await Read(id, details, ct);

    private static async Task<Ok<ItemList<AuditItem>>> AuditLog([AsParameters] AuditQuery query, Caller caller, AuditRepository audit,
        CancellationToken ct) =>
        TypedResults.Ok(
            Lists.Of(query, await audit.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct), AuditItem.From,
                await query.Counted(() => audit.Count(caller.Organization, query.ToFilter(), ct))));

    private static string Detail(string? name, string? plan) => JsonSerializer.Serialize(
        new[] { ("name", name), ("plan", plan) }.Where(pair => pair.Item2 is not null).ToDictionary(pair => pair.Item1, pair => pair.Item2),
        ApiJson.Options);
}
