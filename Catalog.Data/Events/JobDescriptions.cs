using System.Text.Json;
using Catalog.Data.Database;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Events;

/// <summary>
/// Copies the description and the first owner of a job, which events report as facets, to its pipeline, where lists and
/// the search find them.
/// </summary>
internal sealed class JobDescriptions
{
    private static readonly InputRows<string> Ids = new(
        new Column<string, string>("id", id => id), new Column<string, string>("reported", _ => PipelineVersion.Reported));

    private readonly string _organization;

    public JobDescriptions(Dialect dialect, string organization, IEnumerable<ReportedFacet> facets)
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
        var sql = $"""
            -- JobDescriptions.Current
            select pipelines.id, pipelines.description, pipelines.owner,
                   {Latest} 'documentation' {Order} as documentation,
                   {Latest} 'ownership' {Order} as ownership
            from rows
            {dialect.LockByIndex("pipelines", "organization_id = @organization", "id", "rows.id")}
            where pipelines.current_version = rows.reported
            """;

        Current = new(organization, sql, Ids, ids);
    }

    /// <summary>Reads the facets after they were stored, and locks the pipelines.</summary>
    public Statement<string, Described> Current { get; }

    /// <summary>
    /// Updates the pipelines whose description or owner differs from the facets that <see cref="Current"/> has read.
    /// </summary>
    public Statement Update(DateTimeOffset now)
    {
        var rows = new InputRows<Described>(
            new Column<Described, string>("id", row => row.Id),
            new Column<Described, string>("version", _ => PipelineVersion.Reported),
            new Column<Described, string?>("description", row => row.NewDescription),
            new Column<Described, string?>("owner", row => row.NewOwner),
            new Column<Described, string>("search_key", row => SearchPattern.Fold(row.Id, row.NewDescription, row.NewOwner)),
            new Column<Described, DateTimeOffset>("updated_at", _ => now));
        // Each pipeline exists and is locked, so this insert always becomes an update. It is an upsert because an
        // upsert finds each pipeline by its key.
        const string Sql = """
            -- JobDescriptions.Update
            insert into pipelines (organization_id, id, current_version, description, owner, search_key, created_at, updated_at)
            select @organization, rows.id, rows.version, rows.description, rows.owner, rows.search_key, rows.updated_at, rows.updated_at
            from rows
            where true
            on conflict (organization_id, id) do update
            set description = excluded.description, owner = excluded.owner, search_key = excluded.search_key,
                updated_at = excluded.updated_at
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
