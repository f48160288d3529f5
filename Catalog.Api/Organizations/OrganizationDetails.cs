using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>Reads an organization with its plan and usage, and changes how long its data is kept.</summary>
internal sealed class OrganizationDetails(OrganizationRepository organizations, RequestRates rates, TimeProvider time)
{
    /// <summary>Reads an organization.</summary>
    /// <returns>The organization; null when it does not exist.</returns>
    public async Task<OrganizationItem?> Find(string id, CancellationToken ct)
    {
        if (!Organization.IsId(id) || await organizations.Find(id, ct) is not { } organization)
        {
            return null;
        }

        var usage = await organizations.Usage(id, ct);
        var plan = Plan.Of(organization.Plan);
        return new()
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
        };
    }

    /// <summary>Changes for how many days the data of an organization is kept.</summary>
    /// <returns>The problem to answer with; null when the change is stored.</returns>
    public async Task<Problem?> SetRetention(string id, PutRetention retention, Caller caller, CancellationToken ct)
    {
        if (id == Organization.Default)
        {
            return Problems.DefaultOrganization();
        }

        var entry = caller.NewAuditEntry("organization", id, "changed", time, JsonSerializer.Serialize(retention, ApiJson.Options));
        return Organization.IsId(id)
            && await organizations.SetRetention(id, retention.RunsKeptDays, retention.ResultsKeptDays, retention.EventsKeptDays, entry, ct)
            ? null : Problems.OrganizationNotFound();
    }
}
