using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Data.Pipelines;

/// <summary>
/// Registers pipelines with their checks and lineage edges. Each statement covers all pipelines of a request, so the
/// number of round trips does not depend on the number of pipelines.
/// </summary>
public sealed class PipelineRegistration(CatalogDatabase db, TimeProvider time)
{
    /// <summary>
    /// Registers all pipelines. Registers none if a version exists with a different body or the plan's limit is
    /// exceeded.
    /// </summary>
    /// <param name="organization">The organization that owns the pipelines.</param>
    /// <param name="pipelines">The pipelines, with distinct ids.</param>
    /// <param name="ct">Cancels the operation and rolls it back.</param>
    public Task<RegistrationResult> Register(string organization, IReadOnlyList<NewPipeline> pipelines, CancellationToken ct) =>
        db.Write(organization, async session =>
        {
            var now = time.Now();
            var known = (await Lock(session, pipelines, now, ct)).ToDictionary(row => row.Id, StringComparer.Ordinal);
            var versions = await Versions(session, organization, pipelines, ct);
            var outcomes = pipelines.Select(pipeline => OutcomeOf(pipeline, known[pipeline.Id], versions)).ToArray();
            if (outcomes.Contains(RegistrationOutcome.VersionTaken))
            {
                session.RequestRollback();
                return new RegistrationResult(outcomes, null);
            }

            if (await Ceiling(session, organization, known, ct) is { } reached)
            {
                session.RequestRollback();
                return new(outcomes, reached);
            }

            var changed = pipelines.Where((_, i) => outcomes[i] != RegistrationOutcome.Unchanged)
                .OrderBy(pipeline => pipeline.Id, StringComparer.Ordinal).ToList();
            await InsertVersions(session, [.. changed.Where(pipeline => !versions.ContainsKey((pipeline.Id, pipeline.Version)))], now, ct);
            await Update(session, changed, now, ct);
            await ReplaceTags(session, organization, changed, ct);
            await new PipelineCheckRegistration(db.Dialect, session, organization).Replace(changed, now, ct);
            await new PipelineEdgeRegistration(db.Dialect, session, organization).Replace(changed, now, ct);
            return new(outcomes, null);
        }, ct);

    // Only a registration that adds a pipeline is checked: an organization above its plan's limit can still change the
    // pipelines it has.
    private static async Task<CeilingReached?> Ceiling(Session session, string organization, Dictionary<string, Known> known,
        CancellationToken ct)
    {
        const string Live = """
            -- PipelineRegistration.CountLive
            select count(*)
            from pipelines
            where organization_id = @organization and deleted_at is null
            """;

        // The query counts new pipelines, because Lock has already inserted their rows. Restored pipelines are still
        // marked as deleted, so they are added to the count.
        var returning = known.Values.Count(pipeline => pipeline.DeletedAt is not null);
        if ((returning == 0 && !known.Values.Any(pipeline => pipeline.CurrentVersion.Length == 0))
            || await PlanEnforcement.Lock(session, organization, ct) is not { } plan)
        {
            return null;
        }

        return PlanEnforcement.Reached(plan, "pipelines", each =>
            each.Pipelines, await session.One<long>(Live, new { organization }, ct) + returning);
    }

    private static RegistrationOutcome OutcomeOf(NewPipeline pipeline, Known known, Dictionary<(string, string), byte[]> versions) =>
        versions.TryGetValue((pipeline.Id, pipeline.Version), out var hash) && !hash.AsSpan().SequenceEqual(pipeline.BodyHash)
            ? RegistrationOutcome.VersionTaken
            : hash is null || known.DeletedAt is not null ? RegistrationOutcome.Created
            : known.CurrentVersion == pipeline.Version ? RegistrationOutcome.Unchanged
            : RegistrationOutcome.Reactivated;

    // Locks the rows in the order of their ids, which prevents deadlocks. A new pipeline gets a row with an empty
    // version, which Update sets.
    private static async Task<List<Known>> Lock(Session session, IReadOnlyList<NewPipeline> pipelines, DateTimeOffset now,
        CancellationToken ct)
    {
        var rows = new InputRows<NewPipeline>(
            new Column<NewPipeline, string>("id", pipeline => pipeline.Id),
            new Column<NewPipeline, DateTimeOffset>("now", _ => now));
        const string Sql = """
            -- PipelineRegistration.Lock
            insert into pipelines (organization_id, id, current_version, search_key, created_at, updated_at)
            select @organization, rows.id, '', '', rows.now, rows.now
            from rows
            where true
            order by rows.id
            on conflict (organization_id, id) do update set updated_at = pipelines.updated_at
            returning id, current_version, deleted_at
            """;

        return await session.Run<NewPipeline, Known>(Sql, rows, [.. pipelines.OrderBy(pipeline => pipeline.Id, StringComparer.Ordinal)],
            ct);
    }

    private async Task<Dictionary<(string, string), byte[]>> Versions(
        Session session, string organization, IReadOnlyList<NewPipeline> pipelines, CancellationToken ct)
    {
        var sql = $"""
            -- PipelineRegistration.Versions
            select pipeline_id, version, body_hash
            from pipeline_versions
            where organization_id = @organization and {db.Dialect.IsAnyOf("pipeline_id", "@ids")} and {db.Dialect.IsAnyOf("version", "@versions")}
            """;

        var ids = pipelines.Select(pipeline => pipeline.Id).ToArray();
        var versions = pipelines.Select(pipeline => pipeline.Version).Distinct(StringComparer.Ordinal).ToArray();
        return (await session.Many<KnownVersion>(sql, new { organization, ids, versions }, ct))
            .ToDictionary(row => (row.PipelineId, row.Version), row => row.BodyHash);
    }

    // This insert and the insert of tags use "returning" because of Citus. Citus runs an insert without "returning" and
    // "on conflict" as COPY, which Postgres rejects under row-level security.
    private static Task InsertVersions(Session session, List<NewPipeline> pipelines, DateTimeOffset now, CancellationToken ct)
    {
        var rows = new InputRows<NewPipeline>(
            new Column<NewPipeline, string>("pipeline_id", pipeline => pipeline.Id),
            new Column<NewPipeline, string>("version", pipeline => pipeline.Version),
            new Column<NewPipeline, string>("body", pipeline => pipeline.Body),
            new Column<NewPipeline, byte[]>("body_hash", pipeline => pipeline.BodyHash),
            new Column<NewPipeline, DateTimeOffset>("created_at", _ => now));
        const string Sql = """
            -- PipelineRegistration.InsertVersions
            insert into pipeline_versions (organization_id, pipeline_id, version, body, body_hash, created_at)
            select @organization, rows.pipeline_id, rows.version, rows.body, rows.body_hash, rows.created_at
            from rows
            returning version
            """;

        return session.Run<NewPipeline, string>(Sql, rows, pipelines, ct);
    }

    private static Task Update(Session session, List<NewPipeline> pipelines, DateTimeOffset now, CancellationToken ct)
    {
        var rows = new InputRows<NewPipeline>(
            new Column<NewPipeline, string>("id", pipeline => pipeline.Id),
            new Column<NewPipeline, string>("current_version", pipeline => pipeline.Version),
            new Column<NewPipeline, string?>("description", pipeline => pipeline.Description),
            new Column<NewPipeline, string?>("owner", pipeline => pipeline.Owner),
            new Column<NewPipeline, string?>("environment", pipeline => pipeline.Environment),
            new Column<NewPipeline, string?>("schedule", pipeline => pipeline.Schedule),
            new Column<NewPipeline, string>("search_key", pipeline =>
                SearchPattern.Fold(pipeline.Id, pipeline.Description, pipeline.Owner)),
            new Column<NewPipeline, DateTimeOffset>("updated_at", _ => now));
        const string Sql = """
            -- PipelineRegistration.Update
            update pipelines
            set current_version = rows.current_version, description = rows.description, owner = rows.owner, environment = rows.environment,
                schedule = rows.schedule, search_key = rows.search_key, updated_at = rows.updated_at, deleted_at = null
            from rows
            where pipelines.organization_id = @organization and pipelines.id = rows.id
            """;

        return session.Run<NewPipeline, int>(Sql, rows, pipelines, ct);
    }

    private async Task ReplaceTags(Session session, string organization, List<NewPipeline> pipelines, CancellationToken ct)
    {
        var delete = $"""
            -- PipelineRegistration.DeleteTags
            delete from pipeline_tags
            where organization_id = @organization and {db.Dialect.IsAnyOf("pipeline_id", "@ids")}
            """;
        const string Insert = """
            -- PipelineRegistration.InsertTags
            insert into pipeline_tags (organization_id, pipeline_id, tag)
            select @organization, rows.pipeline_id, rows.tag
            from rows
            returning tag
            """;

        if (pipelines.Count == 0)
        {
            return;
        }

        await session.Execute(delete, new { organization, ids = pipelines.Select(pipeline => pipeline.Id).ToArray() }, ct);
        var tags = pipelines.SelectMany(pipeline => pipeline.Tags.Distinct(StringComparer.Ordinal).Select(tag => (pipeline.Id, tag)))
            .ToList();
        await session.Run<(string Id, string Tag), string>(Insert, Tags, tags, ct);
    }

    private static readonly InputRows<(string Id, string Tag)> Tags = new(
        new Column<(string Id, string Tag), string>("pipeline_id", row => row.Id),
        new Column<(string Id, string Tag), string>("tag", row => row.Tag));

    private sealed record Known
    {
        public required string Id { get; init; }
        public required string CurrentVersion { get; init; }
        public DateTimeOffset? DeletedAt { get; init; }
    }

    private sealed record KnownVersion
    {
        public required string PipelineId { get; init; }
        public required string Version { get; init; }
        public required byte[] BodyHash { get; init; }
    }
}
