using System.Text.Json;
using Catalog.Data.Database;
using Catalog.Data.Organizations;
using Catalog.Data.Pipelines;

namespace Catalog.Data.Events;

/// <summary>
/// Registers the jobs of events as pipelines, inside the transaction that stores the events. A job that would exceed
/// the limit of the plan, or whose pipeline was deleted, is not registered; its events stay in the log.
/// </summary>
internal sealed class JobRegistration
{
    private static readonly InputRows<string> Ids = new(new Column<string, string>("id", id => id));

    private readonly string _organization;
    private readonly DateTimeOffset _now;
    private readonly Dictionary<string, ReportedJob> _jobs;
    private readonly Statement<ReportedJob, string> _insert;
    private readonly Statement<string, string> _live;
    private readonly Statement<(string PipelineId, string Tag), NoResult> _tags;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private HashSet<string> _overPlan = [];

    public JobRegistration(Dialect dialect, string organization, IEnumerable<LoggedEvent> events, DateTimeOffset now)
    {
        (_organization, _now) = (organization, now);
        var reported = events.SelectMany(@event => @event.Report.Jobs).ToList();
        _jobs = reported.DistinctBy(job => job.PipelineId, StringComparer.Ordinal)
            .OrderBy(job => job.PipelineId, StringComparer.Ordinal).ToDictionary(job => job.PipelineId, StringComparer.Ordinal);
        _insert = Insert([.. _jobs.Values]);
        _live = Live(dialect, [.. _jobs.Keys]);
        _tags = InsertTags([.. reported.SelectMany(job => job.Tags.Select(tag => (job.PipelineId, tag))).Distinct().Order()]);
    }

    /// <summary>Inserts unknown jobs, locks the pipelines of all jobs and adds their tags.</summary>
    public IEnumerable<Statement> Statements => [_insert, _live, _tags];

    /// <summary>Reads the results of <see cref="Statements"/>, and stores the bodies of new pipelines.</summary>
    public async Task Finish(Session session, CancellationToken ct)
    {
        _known.UnionWith(_live.Results);
        if (_insert.Results.Count == 0)
        {
            return;
        }

        List<string> added = [.. _insert.Results.Order(StringComparer.Ordinal)];
        _overPlan = (await OverPlan(session, added, ct)).ToHashSet(StringComparer.Ordinal);
        _known.ExceptWith(_overPlan);
        await session.Send([Remove([.. _overPlan]), InsertVersions(added.FindAll(id => !_overPlan.Contains(id)))], ct);
    }

    /// <summary>
    /// Why a job is not registered: a word of <see cref="UnreadReason"/>; null when the job is registered.
    /// </summary>
    public string? Refusal(string pipelineId) => _known.Contains(pipelineId) ? null
        : _overPlan.Contains(pipelineId) ? UnreadReason.PlanLimit
        : UnreadReason.Deleted;

    private Statement<ReportedJob, string> Insert(List<ReportedJob> jobs)
    {
        var rows = new InputRows<ReportedJob>(
            new Column<ReportedJob, string>("id", job => job.PipelineId),
            new Column<ReportedJob, string>("version", _ => PipelineVersion.Reported),
            new Column<ReportedJob, string>("search_key", job => SearchPattern.Fold(job.PipelineId)),
            new Column<ReportedJob, DateTimeOffset>("now", _ => _now));
        const string Sql = """
            -- JobRegistration.Insert
            insert into pipelines (organization_id, id, current_version, search_key, created_at, updated_at)
            select @organization, rows.id, rows.version, rows.search_key, rows.now, rows.now
            from rows
            where true
            order by rows.id
            on conflict (organization_id, id) do nothing
            returning id
            """;

        return new(_organization, Sql, rows, jobs);
    }

    // The lock makes writers of the same job wait for each other, so that no writer misses an edge that another writer
    // inserts. The ids are sorted and looked up in this order, so that writers cannot deadlock.
    private Statement<string, string> Live(Dialect dialect, List<string> ids)
    {
        var sql = $"""
            -- JobRegistration.Live
            select pipelines.id
            from rows
            {dialect.LockByIndex("pipelines", "organization_id = @organization and deleted_at is null", "id", "rows.id")}
            """;

        return new(_organization, sql, Ids, ids);
    }

    private Statement<(string PipelineId, string Tag), NoResult> InsertTags(List<(string PipelineId, string Tag)> tags)
    {
        var rows = new InputRows<(string PipelineId, string Tag)>(
            new Column<(string PipelineId, string Tag), string>("pipeline_id", row => row.PipelineId),
            new Column<(string PipelineId, string Tag), string>("tag", row => row.Tag));
        const string Sql = """
            -- JobRegistration.InsertTags
            insert into pipeline_tags (organization_id, pipeline_id, tag)
            select @organization, rows.pipeline_id, rows.tag
            from rows
            where true
            on conflict (organization_id, pipeline_id, tag) do nothing
            """;

        return new(_organization, Sql, rows, tags);
    }

    private async Task<List<string>> OverPlan(Session session, List<string> added, CancellationToken ct)
    {
        const string Count = """
            -- JobRegistration.CountLive
            select count(*)
            from pipelines
            where organization_id = @organization and deleted_at is null
            """;

        if (await PlanEnforcement.Lock(session, _organization, ct) is not { Pipelines: { } most })
        {
            return [];
        }

        var excess = await session.One<long>(Count, new { organization = _organization }, ct) - most;
        return excess <= 0 ? [] : added[(int)Math.Max(0, added.Count - excess)..];
    }

    private Statement<string, NoResult> Remove(List<string> ids)
    {
        const string Sql = """
            -- JobRegistration.RemoveOverPlan
            delete from pipelines
            where organization_id = @organization and id in (select id from rows)
            """;

        return new(_organization, Sql, Ids, ids);
    }

    private Statement<string, NoResult> InsertVersions(List<string> ids)
    {
        var rows = new InputRows<string>(
            new Column<string, string>("pipeline_id", id => id),
            new Column<string, string>("version", _ => PipelineVersion.Reported),
            new Column<string, string>("body", BodyOf),
            new Column<string, byte[]>("body_hash", id => HashOf(BodyOf(id))),
            new Column<string, DateTimeOffset>("created_at", _ => _now));
        const string Sql = """
            -- JobRegistration.InsertVersions
            insert into pipeline_versions (organization_id, pipeline_id, version, body, body_hash, created_at)
            select @organization, rows.pipeline_id, rows.version, rows.body, rows.body_hash, rows.created_at
            from rows
            where true
            on conflict (organization_id, pipeline_id, version) do nothing
            """;

        return new(_organization, Sql, rows, ids);
    }

    private string BodyOf(string id) =>
        JsonSerializer.Serialize(new { name = id, job = new { @namespace = _jobs[id].Namespace, name = _jobs[id].Name } });

    private static byte[] HashOf(string body)
    {
        using var json = JsonDocument.Parse(body);
        return CanonicalJson.Hash(json.RootElement, "version");
    }
}
