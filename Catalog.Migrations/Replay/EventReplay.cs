using System.Data.Common;
using System.Diagnostics;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Catalog.Migrations.Retention;
using Dapper;

namespace Catalog.Migrations.Replay;

/// <summary>
/// Reads the stored events again with the code of this build, and writes the resulting rows to separate tables, the
/// shadow. Then compares the shadow with the live tables. With "apply", it also replaces the live rows that differ. The
/// service keeps running.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="days">For how many days retention keeps data. Rows that retention removed are not inserted
/// again.</param>
/// <param name="time">The clock.</param>
public sealed class EventReplay(MigrationDatabase database, RetentionDays days, TimeProvider time)
{
    private const int EventsOfBatch = 500;
    private const int CatchUps = 10;
    private readonly Dialect _dialect = database.Failures;

    /// <summary>
    /// Called after each batch with the organization and the number of its events folded so far; null for no calls.
    /// </summary>
    public Action<string, long>? Progress { get; init; }

    /// <summary>Maximum wait for a retention run or another replay to finish.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Replays the events of one organization or of all.</summary>
    /// <param name="organization">Id of the organization; null for all organizations that have events.</param>
    /// <param name="since">Only events that were received, or have an event time, from this time on are folded; null
    /// for all events.</param>
    /// <param name="apply">Whether to replace the rows that differ, in one transaction for each organization.</param>
    /// <param name="ct">Cancels the operation. The changes to finished organizations stay; the others are
    /// unchanged.</param>
    /// <exception cref="MigrationException">
    /// The organization has no events, the database is distributed, or a lock was not obtained.
    /// </exception>
    public async Task<ReplayReport> Run(string? organization, DateTimeOffset? since, bool apply, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await RefuseDistributed(connection, ct);
        await using var held = await RemovalEngine.For(database).Lock(connection, MaxWait, _ => { }, ct) ?? throw new MigrationException(
            MigrationFault.LockNotObtained,
            $"A retention run or another replay has not finished within {MaxWait.TotalSeconds:0} s. Run this again when it has.");
        var organizations = await Organizations(connection, organization, ct);
        await using var shadow = await ReplayShadow.Create(database, ct);
        await shadow.Attach(connection, ct);
        List<ReplayedOrganization> replayed = [];
        try
        {
            await using var reader = await database.Reads.OpenConnectionAsync(ct);
            await shadow.Attach(reader, ct);
            try
            {
                foreach (var id in organizations)
                {
                    replayed.Add(await Replay(shadow, connection, reader, id, since, apply, ct));
                }
            }
            finally
            {
                await shadow.Detach(reader);
            }
        }
        finally
        {
            await shadow.Detach(connection);
        }

        return new(replayed);
    }

    private async Task<ReplayedOrganization> Replay(ReplayShadow shadow, DbConnection connection, DbConnection reader,
        string organization, DateTimeOffset? since, bool apply, CancellationToken ct)
    {
        var log = new EventLogFold(_dialect, shadow, reader, organization, count => Progress?.Invoke(organization, count));
        var removed = await log.RemovedBefore(ct);
        var horizon = since > (removed ?? DateTimeOffset.MinValue) ? since : removed;
        log.Horizon = horizon ?? DateTimeOffset.UnixEpoch;
        await ReplayBaseRows.Copy(connection, organization, horizon, ct);
        await log.ReadDeleted(ct);
        var folding = Stopwatch.StartNew();
        for (var i = 0; i < CatchUps && await log.FoldNew(EventsOfBatch, ct) > 0; i++)
        {
        }

        folding.Stop();
        await shadow.Analyze(connection, ct);
        var clock = Stopwatch.StartNew();
        await using var transaction = apply ? await shadow.BeginWrite(connection, ct) : await shadow.BeginRead(connection, ct);
        if (apply)
        {
            await log.FoldNew(EventsOfBatch, ct);
        }

        await new RemovedRows(connection, transaction, organization).Delete(database, days, time.Now(), ct);
        var swap = new ReplayComparison(_dialect, connection, transaction, organization, new(horizon, removed), shadow.ResultOfLog);
        var tables = await swap.Compare(ct);
        var runs = apply && tables.Any(table => table.Differs) ? await swap.Apply(ct) : 0;
        if (apply)
        {
            // The commit gets no token, because a cancelled commit has an unknown outcome.
            await transaction.CommitAsync(CancellationToken.None);
        }

        return new()
        {
            Organization = organization,
            Events = log.Folded,
            FoldSeconds = folding.Elapsed.TotalSeconds,
            Unreadable = log.Unreadable,
            Horizon = horizon,
            IsHorizonOfRetention = horizon is not null && horizon == removed,
            Tables = [.. tables.Where(table => table.Differs)],
            Runs = runs,
            LockedSeconds = apply ? clock.Elapsed.TotalSeconds : 0,
        };
    }

    private static async Task<List<string>> Organizations(DbConnection connection, string? organization, CancellationToken ct)
    {
        const string Sql = """
            -- EventReplay.Organizations
            select distinct organization_id
            from lineage_events
            where @organization is null or organization_id = @organization
            order by organization_id
            """;

        var found = (await connection.QueryAsync<string>(new CommandDefinition(Sql, new { organization }, cancellationToken: ct))).AsList();
        return organization is null || found.Count > 0 ? found : throw new MigrationException(
            MigrationFault.UnknownTarget, $"The organization '{organization}' has no events in the log. Nothing was written.");
    }

    private async Task RefuseDistributed(DbConnection connection, CancellationToken ct)
    {
        if (database.Settings.Engine == DatabaseEngine.Postgres
            && await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
                "select to_regclass('pg_catalog.pg_dist_partition') is not null", cancellationToken: ct)))
        {
            throw new MigrationException(MigrationFault.NotPermitted,
                "replay does not run on a database that Citus distributes, because its shadow tables would not be distributed. "
                    + "Restore a backup on plain Postgres, and replay there. Nothing was written.");
        }
    }
}
