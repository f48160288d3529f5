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
        var key = ApiKeyEndpoints.NewKey(text, organization.Id, "first key", Scopes.All, null, caller, now);
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

    private static Task<IResult> Get(PathId id, OrganizationRepository organizations, RequestRates rates, CancellationToken ct) =>
        Read(id.Value, organizations, rates, ct);

    private static Task<IResult> GetMine(Caller caller, OrganizationRepository organizations, RequestRates rates, CancellationToken ct) =>
        Read(caller.Organization, organizations, rates, ct);

    private static async Task<IResult> Read(string id, OrganizationRepository organizations, RequestRates rates, CancellationToken ct)
    {
        if (!Organization.IsId(id) || await organizations.Find(id, ct) is not { } organization)
        {
            return Problems.OrganizationNotFound();
        }

        var usage = await organizations.Usage(id, ct);
        var plan = Plan.Of(organization.Plan);
        return TypedResults.Ok(new OrganizationItem
        {
            Id = organization.Id,
            Name = organization.Name,
            Plan = organization.Plan,
            Ceilings = PlanCeilings.From(plan),
            Usage = new()
            {
                Pipelines = usage.Pipelines,
                Connections = usage.Connections,
                RequestsLeft = plan.RequestsPerMinute is { } perMinute ? rates.Remaining(id, perMinute) : null,
            },
            Retention = Retention.From(organization),
            Subscribed = organization.StripeSubscriptionId is not null,
            CreatedAt = organization.CreatedAt,
            UpdatedAt = organization.UpdatedAt,
        });
    }

    private static async Task<IResult> Patch(
        PathId id, Body<PatchOrganization> body, Caller caller, OrganizationRepository organizations, PlanCache known, RequestRates rates,
        TimeProvider time, CancellationToken ct)
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
        return await Read(id.Value, organizations, rates, ct);
    }

    private static Task<IResult> PutRetention(
        PathId id, Body<PutRetention> body, Caller caller, OrganizationRepository organizations, RequestRates rates, TimeProvider time,
        CancellationToken ct) =>
        SetRetention(id.Value, body.Value, caller, organizations, rates, time, ct);

    private static Task<IResult> PutMyRetention(
        Body<PutRetention> body, Caller caller, OrganizationRepository organizations, RequestRates rates, TimeProvider time,
        CancellationToken ct) =>
        SetRetention(caller.Organization, body.Value, caller, organizations, rates, time, ct);

    private static async Task<IResult> SetRetention(
        string id, PutRetention retention, Caller caller, OrganizationRepository organizations, RequestRates rates, TimeProvider time,
        CancellationToken ct)
    {
        if (id == Organization.Default)
        {
            return Problems.DefaultOrganization();
        }

        var entry = caller.NewAuditEntry("organization", id, "changed", time, JsonSerializer.Serialize(retention, ApiJson.Options));
        return Organization.IsId(id)
            && await organizations.SetRetention(id, retention.RunsKeptDays, retention.ResultsKeptDays, retention.EventsKeptDays, entry, ct)
            ? await Read(id, organizations, rates, ct)
            : Problems.OrganizationNotFound();
    }

    private static async Task<Ok<ItemList<AuditItem>>> AuditLog([AsParameters] AuditQuery query, Caller caller, AuditRepository audit,
        CancellationToken ct) =>
        TypedResults.Ok(
            Lists.Of(query, await audit.List(caller.Organization, query.ToFilter(), query.After(), query.Take(), ct), AuditItem.From));

    private static string Detail(string? name, string? plan) => JsonSerializer.Serialize(
        new[] { ("name", name), ("plan", plan) }.Where(pair => pair.Item2 is not null).ToDictionary(pair => pair.Item1, pair => pair.Item2),
        ApiJson.Options);
}
