using System.Text.Json;
using Catalog.Data.Database;

namespace Catalog.Data.Events;

/// <summary>
/// Copies the description and the first owner of a job, which events report as facets, to its pipeline, where lists and
/// the search find them.
/// </summary>
internal sealed class JobDescriptions
{
    private static readonly Rows<string> Ids = new(
        new Column<string, string>("id", id => id), new Column<string, string>("reported", _ => JobRegistration.ReportedVersion));

    private readonly string _organization;

    public JobDescriptions(string organization, IEnumerable<ReportedFacet> facets)
    {
        _organization = organization;
        List<string> ids =
        [
            .. facets.Where(facet => facet is { Subject: FacetSubject.Job, Facet: "documentation" or "ownership" })
                .Select(facet => facet.Id).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
        const string Latest = """
            (select value from facets
             where organization_id = @organization and subject = 'job' and subject_id = pipelines.id and facet =
            """;
        const string Order = "order by last_at desc, value_hash desc limit 1)";
        const string Sql = $"""
            -- JobDescriptions.Current
            select pipelines.id, pipelines.description, pipelines.owner,
                   {Latest} 'documentation' {Order} as documentation,
                   {Latest} 'ownership' {Order} as ownership
            from rows
            join pipelines on pipelines.organization_id = @organization and pipelines.id = rows.id and pipelines.current_version = rows.reported
            """;

        Current = new(organization, Sql, Ids, ids);
    }

    /// <summary>Reads the facets after they were stored.</summary>
    public Statement<string, Described> Current { get; }

    /// <summary>Updates the pipelines that differ from <see cref="Current"/>.</summary>
    public Statement Update(DateTimeOffset now)
    {
        var rows = new Rows<Described>(
            new Column<Described, string>("id", row => row.Id),
            new Column<Described, string?>("description", row => row.NewDescription),
            new Column<Described, string?>("owner", row => row.NewOwner),
            new Column<Described, string>("search_key", row => SearchPattern.Fold(row.Id, row.NewDescription, row.NewOwner)),
            new Column<Described, DateTimeOffset>("updated_at", _ => now));
        const string Sql = """
            -- JobDescriptions.Update
            update pipelines
            set description = rows.description, owner = rows.owner, search_key = rows.search_key, updated_at = rows.updated_at
            from rows
            where pipelines.organization_id = @organization and pipelines.id = rows.id
            """;

        return new Statement<Described, NoResult>(_organization, Sql, rows,
            Current.Results.FindAll(row => row.NewDescription != row.Description || row.NewOwner != row.Owner));
    }

    /// <summary>A pipeline with its description and the facets that decide it.</summary>
    internal sealed record Described
    {
        public required string Id { get; init; }
        public string? Description { get; init; }
        public string? Owner { get; init; }
        public string? Documentation { get; init; }
        public string? Ownership { get; init; }

        public string? NewDescription => Member(Documentation, json => Text(json, "description"));

        public string? NewOwner => Member(Ownership, json =>
            json.TryGetProperty("owners", out var owners) && owners.ValueKind == JsonValueKind.Array && owners.GetArrayLength() > 0
                ? Text(owners[0], "name") : null);

        private static string? Text(JsonElement json, string name) =>
            json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String
                ? StoredText.Clean(text.GetString()!) : null;

        private static string? Member(string? facet, Func<JsonElement, string?> read)
        {
            if (facet is null)
            {
                return null;
            }

            using var json = JsonDocument.Parse(facet);
            return json.RootElement.ValueKind == JsonValueKind.Object ? read(json.RootElement) : null;
        }
    }
}
