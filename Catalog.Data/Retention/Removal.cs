using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Data.Retention;

/// <summary>
/// Removes what is older than it is kept, as the tables' owner, in transactions of few rows with rests between them. Only one works on a
/// database at a time. What ingest holds is passed over and goes next time, so neither waits for the other.
/// </summary>
public sealed class Removal(MigrationDatabase database, RetentionDays days, TimeProvider time, RemovalLimits? limits = null)
{
    // What a client has only just sent stays as long as what it tells of, however old that is.
    private const string OldResult = "check_results.executed_at < @before and check_results.created_at < @before";

    private static readonly string[] RunParts = ["run_stages", "run_events"];
    private static readonly string[] PipelineParts = ["pipeline_versions", "pipeline_tags"];

    private readonly SchemaDialect _dialect = database.Dialect;
    private readonly RemovalLimits _limits = limits ?? new();

    /// <summary>Told after every transaction what has gone of a kind so far; null: nobody is.</summary>
    public Action<Removed>? Progress { get; init; }

    /// <summary>Told who is waited for; null: nobody is.</summary>
    public Action<string>? Waiting { get; init; }

    /// <summary>Counts what <see cref="Apply"/> would remove now, and writes nothing.</summary>
    public async Task<RemovalReport> Count(RemovalScope scope, CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        await using var reading = await _dialect.Reading(connection, ct);
        await _dialect.PlanByIndex(connection, reading, ct);
        var plan = await Plan(connection, reading, scope, ct);
        var counted = new List<Removed>();
        foreach (var part in plan)
        {
            // What an earlier kind takes is not there for a later one.
            DateTimeOffset? Taken(RetentionKind kind) => plan.FirstOrDefault(other => other.Organization == part.Organization && other.Kind == kind)?.Before;
            var rows = await Count(connection, reading, part, Taken(RetentionKind.Runs), Taken(RetentionKind.Results), ct);
            if (rows.Any(table => table.Rows > 0))
            {
                counted.Add(part.With(rows));
            }
        }

        return new(counted, plan.Count, Interrupted: false);
    }

    /// <summary>Removes.</summary>
    /// <param name="scope">Of what.</param>
    /// <param name="ct">Stops after the transaction at hand; what has gone stays gone.</param>
    /// <exception cref="MigrationException">Another removal did not finish in time, or tables stayed locked.</exception>
    public async Task<RemovalReport> Apply(RemovalScope scope, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await _dialect.Begin(connection, stop => database.Source.OpenConnectionAsync(stop), new MigrationLimits { LockTimeout = _limits.LockTimeout, Patience = _limits.Patience }, ct);
        await using var held = await _dialect.LockRetention(connection, _limits.Patience, holder => Waiting?.Invoke(holder), ct)
            ?? throw new MigrationException(MigrationFault.LockNotObtained, $"Another retention has been at work for {_limits.Patience.TotalSeconds:0.###} s. It removes the same; run this again if it should not finish.");
        // The transaction at hand is let finish, but not for ever.
        using var stop = new CancellationTokenSource();
        await using var stopping = ct.Register(() => stop.CancelAfter(TimeSpan.FromSeconds(5)));
        var plan = await Patiently(() => Plan(connection, null, scope, ct), ct);
        var removed = new List<Removed>();
        foreach (var part in plan)
        {
            var batches = new Batches(this, connection, part, stop.Token);
            var finished = await (part.Kind switch
            {
                RetentionKind.Results => batches.Results(ct),
                RetentionKind.Runs => batches.Runs(ct),
                RetentionKind.Events => batches.Events(ct),
                _ => batches.Pipelines(ct),
            });
            if (batches.Total.Any(table => table.Rows > 0))
            {
                removed.Add(part.With(batches.Total));
            }

            if (!finished)
            {
                return new(removed, plan.Count, Interrupted: true);
            }
        }

        return new(removed, plan.Count, Interrupted: false);
    }

    // A run whose end nobody has told may still be going on: it stays until nothing was heard of it for as long as runs are kept.
    private static string OldRun(string before) =>
        $"(runs.created_at < {before} and (coalesce(runs.reported_status, 'pending') not in ('pending', 'running') or runs.updated_at < {before}))";

    // A pipeline of which nothing is left; in a count, of which nothing will be left.
    private static string GonePipeline(bool runsTaken, bool resultsTaken) => $"""
        pipelines.deleted_at < @before
          and not exists (select 1 from runs
                          where runs.organization_id = @organization and runs.pipeline_id = pipelines.id{(runsTaken ? $" and not {OldRun("@runsBefore")}" : "")})
          and not exists (select 1 from check_results
                          where check_results.organization_id = @organization and check_results.pipeline_id = pipelines.id{(resultsTaken ? $" and not ({OldResult.Replace("@before", "@resultsBefore", StringComparison.Ordinal)})" : "")})
        """;

    private async Task<List<Part>> Plan(DbConnection connection, DbTransaction? transaction, RemovalScope scope, CancellationToken ct)
    {
        // Steps from one organization to the next by index; a distinct would read every row.
        static string Steps(string table) => $"""
            of_{table} (id) as (
                select min(organization_id) from {table}
                union all
                select (select min(organization_id) from {table} where organization_id > of_{table}.id)
                from of_{table}
                where of_{table}.id is not null
            )
            """;

        var sql = $"""
            -- Removal.Organizations
            with recursive {Steps("runs")}, {Steps("check_results")}, {Steps("pipelines")}
            select found.id as organization_id, organizations.runs_kept_days, organizations.results_kept_days, organizations.events_kept_days
            from (select 'default' as id union select id from of_runs union select id from of_check_results union select id from of_pipelines
                  union select organization_id from organizations) as found
            left join organizations on organizations.organization_id = found.id
            where found.id is not null {(scope.Organization is null ? "" : "and found.id = @Organization")}
            """;

        var organizations = (await connection.QueryAsync<OrganizationDays>(new CommandDefinition(sql, new { scope.Organization }, transaction, cancellationToken: ct))).AsList();
        if (scope.Organization is not null && organizations.Count == 0)
        {
            throw new MigrationException(MigrationFault.UnknownTarget, $"There is no organization {scope.Organization}. Nothing was removed.");
        }

        var now = time.Now();
        return [.. organizations.OrderBy(organization => organization.OrganizationId, StringComparer.Ordinal)
            .SelectMany(organization => Enum.GetValues<RetentionKind>().Where(scope.Kinds.Contains)
                .Select(kind => (organization.OrganizationId, Kind: kind, Days: days.Or(organization).Of(kind))))
            .Where(part => part.Days is not null)
            .Select(part => new Part(part.OrganizationId, part.Kind, part.Days!.Value, now.AddDays(-part.Days.Value)))];
    }

    private static async Task<List<TableRows>> Count(
        DbConnection connection, DbTransaction reading, Part part, DateTimeOffset? runsBefore, DateTimeOffset? resultsBefore, CancellationToken ct)
    {
        const string Results = $"""
            -- Removal.CountResults
            select count(*)
            from check_results
            where check_results.organization_id = @organization and {OldResult}
            """;
        var runs = $"""
            -- Removal.CountRuns
            select count(*)
            from runs
            where runs.organization_id = @organization and {OldRun("@before")}
            """;
        string PartsOfRuns(string table) => $"""
            -- Removal.CountPartsOfRuns
            select count(*)
            from runs
            cross join {table}
            where runs.organization_id = @organization and {OldRun("@before")}
              and {table}.organization_id = @organization and {table}.run_id = runs.id
            """;
        var events = $"""
            -- Removal.CountEvents
            select count(*)
            from runs
            cross join run_events
            where runs.organization_id = @organization and runs.created_at < @before {(runsBefore is null ? "" : $"and not {OldRun("@runsBefore")}")}
              and run_events.organization_id = @organization and run_events.run_id = runs.id and run_events.received_at < @before
            """;
        var gone = GonePipeline(runsBefore is not null, resultsBefore is not null);
        var pipelines = $"""
            -- Removal.CountPipelines
            select count(*)
            from pipelines
            where pipelines.organization_id = @organization and {gone}
            """;
        string PartsOfPipelines(string table) => $"""
            -- Removal.CountPartsOfPipelines
            select count(*)
            from pipelines
            cross join {table}
            where pipelines.organization_id = @organization and {gone}
              and {table}.organization_id = @organization and {table}.pipeline_id = pipelines.id
            """;

        (string Table, string Sql)[] counts = part.Kind switch
        {
            RetentionKind.Results => [("check_results", Results)],
            RetentionKind.Runs => [("runs", runs), .. RunParts.Select(table => (table, PartsOfRuns(table)))],
            RetentionKind.Events => [("run_events", events)],
            _ => [("pipelines", pipelines), .. PipelineParts.Select(table => (table, PartsOfPipelines(table)))],
        };
        var rows = new List<TableRows>();
        foreach (var (table, sql) in counts)
        {
            rows.Add(new(table, await connection.ExecuteScalarAsync<long>(
                new CommandDefinition(sql, new { organization = part.Organization, before = part.Before, runsBefore, resultsBefore }, reading, cancellationToken: ct))));
        }

        return rows;
    }

    private sealed record Part(string Organization, RetentionKind Kind, int KeptDays, DateTimeOffset Before)
    {
        public Removed With(IReadOnlyList<TableRows> rows) => new(Organization, Kind, KeptDays, Before, rows);
    }

    /// <summary>The transactions that remove one kind of one organization.</summary>
    private sealed class Batches(Removal removal, DbConnection connection, Part part, CancellationToken stop)
    {
        private readonly SchemaDialect _dialect = removal._dialect;
        private readonly Dialect _queries = removal.Queries;
        private readonly int _batch = removal._limits.Batch;
        private readonly RemovalAudit _audit = new(part.Organization, part.Kind, part.KeptDays, part.Before);

        public IReadOnlyList<TableRows> Total { get; private set; } = [];

        /// <returns>Whether all was removed; otherwise it was told to stop.</returns>
        public Task<bool> Results(CancellationToken ct)
        {
            DateTimeOffset? from = null;
            return Repeat(async transaction =>
            {
                // Beginning where the last batch ended spares the index entries that it left dead.
                var sql = $"""
                    -- Removal.Results
                    with old as materialized (
                        select id
                        from check_results
                        where check_results.organization_id = @organization and {OldResult} {(from is null ? "" : "and check_results.executed_at >= @from")}
                        order by executed_at, id
                        limit @batch
                        {_dialect.SkipLocked}
                    )
                    delete from check_results
                    where organization_id = @organization and id in (select id from old)
                    returning executed_at
                    """;

                var gone = (await connection.QueryAsync<DateTimeOffset>(new CommandDefinition(
                    sql, new { organization = part.Organization, before = part.Before, from, batch = _batch }, transaction, cancellationToken: stop))).AsList();
                return new([new("check_results", gone.Count)], gone.Count < _batch, () => from = gone.Count > 0 ? gone.Max() : from);
            }, ct);
        }

        /// <inheritdoc cref="Results" path="/returns"/>
        public Task<bool> Runs(CancellationToken ct)
        {
            DateTimeOffset? from = null;
            return Repeat(async transaction =>
            {
                // Who brings an event locks its run first: of a run that is locked here all events can be seen, and no other is coming.
                var sql = $"""
                    -- Removal.Runs
                    select id, created_at as at
                    from runs
                    where runs.organization_id = @organization and {OldRun("@before")} {(from is null ? "" : "and runs.created_at >= @from")}
                    order by created_at, id
                    limit @batch
                    {_dialect.SkipLocked}
                    """;

                var old = (await connection.QueryAsync<Old>(new CommandDefinition(
                    sql, new { organization = part.Organization, before = part.Before, from, batch = _batch }, transaction, cancellationToken: stop))).AsList();
                var taken = await Light(transaction, old, "run_id", RunParts);
                return new(await Remove(transaction, taken, "runs", "run_id", RunParts), taken.Count == old.Count && old.Count < _batch, () => from = taken.Count > 0 ? taken[^1].At : from);
            }, ct);
        }

        /// <summary>Found through their runs, because no index leads to them by time: an event is never older than its run.</summary>
        /// <inheritdoc cref="Results" path="/returns"/>
        public Task<bool> Events(CancellationToken ct)
        {
            Old? from = null;
            // The last of the runs at hand; null: they go to the end.
            Old? to = null;
            var paged = false;
            return Repeat(async transaction =>
            {
                var page = $"""
                    -- Removal.PageOfRuns
                    select id, created_at as at
                    from runs
                    where organization_id = @organization and created_at < @before {(from is null ? "" : "and (created_at, id) > (@FromAt, @FromId)")}
                    order by created_at, id
                    limit 1 offset @last
                    """;
                string Delete() => $"""
                    -- Removal.Events
                    with old as materialized (
                        select run_events.run_id, run_events.digest
                        from runs
                        cross join run_events
                        where runs.organization_id = @organization {(from is null ? "" : "and (runs.created_at, runs.id) > (@FromAt, @FromId)")}
                          and {(to is null ? "runs.created_at < @before" : "runs.created_at <= @ToAt and (runs.created_at, runs.id) <= (@ToAt, @ToId)")}
                          and run_events.organization_id = @organization and run_events.run_id = runs.id and run_events.received_at < @before
                        limit @batch
                    )
                    delete from run_events
                    where organization_id = @organization and (run_id, digest) in (select run_id, digest from old)
                    """;
                object Parameters() => new { organization = part.Organization, before = part.Before, FromAt = from?.At, FromId = from?.Id, ToAt = to?.At, ToId = to?.Id, batch = _batch, last = _batch - 1 };

                if (!paged)
                {
                    to = await connection.QueryFirstOrDefaultAsync<Old>(new CommandDefinition(page, Parameters(), transaction, cancellationToken: stop));
                    paged = true;
                }

                var gone = await connection.ExecuteAsync(new CommandDefinition(Delete(), Parameters(), transaction, cancellationToken: stop));
                var done = gone < _batch;
                return new([new("run_events", gone)], done && to is null, () => (from, paged) = done ? (to, false) : (from, paged));
            }, ct);
        }

        /// <inheritdoc cref="Results" path="/returns"/>
        public Task<bool> Pipelines(CancellationToken ct)
        {
            string? after = null;
            return Repeat(async transaction =>
            {
                var sql = $"""
                    -- Removal.Pipelines
                    select id, deleted_at as at
                    from pipelines
                    where pipelines.organization_id = @organization {(after is null ? "" : "and pipelines.id > @after")}
                      and {GonePipeline(runsTaken: false, resultsTaken: false)}
                    order by id
                    limit @batch
                    {_dialect.SkipLocked}
                    """;

                var old = (await connection.QueryAsync<Old>(new CommandDefinition(
                    sql, new { organization = part.Organization, before = part.Before, after, batch = _batch }, transaction, cancellationToken: stop))).AsList();
                var taken = await Light(transaction, old, "pipeline_id", PipelineParts);
                return new(await Remove(transaction, taken, "pipelines", "pipeline_id", PipelineParts), taken.Count == old.Count && old.Count < _batch, () => after = taken.Count > 0 ? taken[^1].Id : after);
            }, ct);
        }

        // As many of the first as make a batch with what belongs to them, but at least one.
        private async Task<List<Old>> Light(DbTransaction transaction, List<Old> old, string column, string[] parts)
        {
            var weights = old.ToDictionary(one => one.Id, _ => 1L, StringComparer.Ordinal);
            foreach (var table in parts)
            {
                var sql = $"""
                    -- Removal.Weigh
                    select {column} as id, count(*) as rows
                    from {table}
                    where organization_id = @organization and {_queries.IsAnyOf(column, "@ids")}
                    group by {column}
                    """;

                foreach (var ids in Lists(old))
                {
                    foreach (var weight in await connection.QueryAsync<Weight>(new CommandDefinition(sql, new { organization = part.Organization, ids }, transaction, cancellationToken: stop)))
                    {
                        weights[weight.Id] += weight.Rows;
                    }
                }
            }

            var sum = 0L;
            return [.. old.TakeWhile((one, index) => (sum += weights[one.Id]) <= _batch || index == 0)];
        }

        private async Task<List<TableRows>> Remove(DbTransaction transaction, List<Old> old, string table, string column, string[] parts)
        {
            var removed = new List<TableRows>();
            foreach (var (from, key) in parts.Select(from => (from, column)).Append((table, "id")))
            {
                var sql = $"""
                    -- Removal.Remove
                    delete from {from}
                    where organization_id = @organization and {_queries.IsAnyOf(key, "@ids")}
                    """;

                var rows = 0L;
                foreach (var ids in Lists(old))
                {
                    rows += await connection.ExecuteAsync(new CommandDefinition(sql, new { organization = part.Organization, ids }, transaction, cancellationToken: stop));
                }

                removed.Add(new(from, rows));
            }

            return [removed[^1], .. removed[..^1]];
        }

        private IEnumerable<string[]> Lists(List<Old> old) => old.Select(one => one.Id).Chunk(_queries.ListLimit);

        private async Task<bool> Repeat(Func<DbTransaction, Task<Batch>> batch, CancellationToken ct)
        {
            try
            {
                for (var last = false; !last;)
                {
                    ct.ThrowIfCancellationRequested();
                    var began = removal.Time.GetTimestamp();
                    var done = await removal.Patiently(() => Once(batch), ct);
                    last = done.Last;
                    done.Committed();
                    if (done.Rows.Any(table => table.Rows > 0))
                    {
                        Total = Sum(done.Rows);
                        removal.Progress?.Invoke(part.With(Total));
                        var took = removal.Time.GetElapsedTime(began);
                        await Task.Delay(took > removal._limits.Pause ? took : removal._limits.Pause, removal.Time, ct);
                    }
                }

                return true;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return false;
            }
        }

        private List<TableRows> Sum(List<TableRows> rows) =>
            Total.Count == 0 ? rows : [.. rows.Zip(Total, (one, other) => one with { Rows = one.Rows + other.Rows })];

        private async Task<Batch> Once(Func<DbTransaction, Task<Batch>> batch)
        {
            await using var transaction = await connection.BeginTransactionAsync(stop);
            await _dialect.PlanByIndex(connection, transaction, stop);
            var done = await batch(transaction);
            if (done.Rows.Any(table => table.Rows > 0))
            {
                await _audit.Write(connection, transaction, Sum(done.Rows), removal.Time.Now(), stop);
            }

            await transaction.CommitAsync(stop);
            return done;
        }
    }

    private async Task<T> Patiently<T>(Func<Task<T>> work, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (Exception exception) when (_dialect.IsLockTimeout(exception))
            {
                if (attempt >= _limits.Attempts)
                {
                    throw new MigrationException(MigrationFault.LockNotObtained,
                        $"Others kept the tables locked through {attempt} attempts. What was removed stays removed; run this again when they are done. `catalog-migrations doctor` says who they are.", exception);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200), time, ct);
            }
        }
    }

    private Dialect Queries => database.Failures;

    private TimeProvider Time => time;

    /// <param name="Rows">What has gone, by table.</param>
    /// <param name="Last">Whether nothing is left for another.</param>
    /// <param name="Committed">Moves on; not called for a batch that was undone and is tried again.</param>
    private sealed record Batch(List<TableRows> Rows, bool Last, Action Committed);

    private sealed record Old
    {
        public required string Id { get; init; }
        public required DateTimeOffset At { get; init; }
    }

    private sealed record Weight
    {
        public required string Id { get; init; }
        public required long Rows { get; init; }
    }
}
