using System.Data.Common;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Dapper;

namespace Catalog.Migrations.Retention;

/// <summary>Determines from which organizations, and of which kinds, rows are removed.</summary>
internal static class RemovalPlan
{
    /// <returns>The parts with a limited retention, in the order of removal.</returns>
    /// <exception cref="MigrationException">The organization in <paramref name="scope"/> does not exist.</exception>
    public static async Task<List<RemovalPart>> Find(
        RemovalEngine engine, DbConnection connection, DbTransaction? transaction, RemovalScope scope, RetentionDays days,
        DateTimeOffset now, CancellationToken ct)
    {
        // Finds one organization after the other by index. "select distinct" would read every row.
        static string Walk(string name, string table) => $"""
            {name} (id) as (
                select min(organization_id) from {table}
                union all
                select (select min(organization_id) from {table} where organization_id > {name}.id)
                from {name}
                where {name}.id is not null
            )
            """;

        const string AllOrganizations = """
            -- RemovalPlan.AllOrganizations
            select organization_id, runs_kept_days, results_kept_days, events_kept_days
            from organizations
            """;

        var apart = await engine.OrganizationsOf(connection, transaction, table => Walk("found", table),
            ["runs", "check_results", "pipelines"], ct);
        var sql = apart is not null ? AllOrganizations : $"""
            -- RemovalPlan.Find
            with recursive {Walk("of_runs", "runs")}, {Walk("of_check_results", "check_results")}, {Walk("of_pipelines", "pipelines")}
            select found.id as organization_id, organizations.runs_kept_days, organizations.results_kept_days,
                organizations.events_kept_days
            from (select 'default' as id union select id from of_runs union select id from of_check_results union select id
                from of_pipelines
                  union select organization_id from organizations) as found
            left join organizations on organizations.organization_id = found.id
            where found.id is not null {(scope.Organization is null ? "" : "and found.id = @Organization")}
            """;

        var organizations = (
            await connection.QueryAsync<OrganizationDays>(
                new CommandDefinition(sql, new { scope.Organization }, transaction, cancellationToken: ct))).AsList();
        if (apart is not null)
        {
            organizations = [.. organizations
                .Concat(apart.Append("default").Except(organizations.Select(organization => organization.OrganizationId))
                    .Select(id => new OrganizationDays { OrganizationId = id }))
                .Where(organization => scope.Organization is null || organization.OrganizationId == scope.Organization)];
        }

        if (scope.Organization is not null && organizations.Count == 0)
        {
            throw new MigrationException(
                MigrationFault.UnknownTarget, $"The organization {scope.Organization} does not exist. Nothing was removed.");
        }

        return [.. organizations.OrderBy(organization => organization.OrganizationId, StringComparer.Ordinal)
            .SelectMany(organization => Enum.GetValues<RetentionKind>().Where(scope.Kinds.Contains)
                .Select(kind => (organization.OrganizationId, Kind: kind, Days: days.LimitedBy(organization).Of(kind))))
            .Where(part => part.Days is not null)
            .Select(part => new RemovalPart(part.OrganizationId, part.Kind, part.Days!.Value, now.AddDays(-part.Days.Value)))];
    }
}

/// <summary>One kind of one organization: rows from before <paramref name="Before"/> are removed.</summary>
internal sealed record RemovalPart(string Organization, RetentionKind Kind, int KeptDays, DateTimeOffset Before)
{
    public Removed With(IReadOnlyList<TableRows> rows) => new(Organization, Kind, KeptDays, Before, rows);
}
