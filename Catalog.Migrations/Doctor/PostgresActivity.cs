using System.Data.Common;
using Catalog.Data;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Checks the other connections to this database: migrations, lock waits, idle transactions.</summary>
internal static class PostgresActivity
{
    private const string Migrator = "catalog-migrations";

    public static async Task Check(DbConnection connection, DoctorThresholds limits, DoctorReport report, CancellationToken ct)
    {
        var sessions = await ReadSessions(connection, ct);
        report.ActiveStatements =
        [
            .. sessions.Values.Where(session => session.State is not (null or "idle"))
                .OrderByDescending(session => session.Seconds)
                .Select(ToStatement),
        ];
        var waiting = sessions.Values.Where(session => session.LockSeconds >= limits.Waiting.TotalSeconds).ToList();
        foreach (var migration in sessions.Values.Where(session => session.Application == Migrator && session.State == "active"))
        {
            CheckMigration(migration, waiting, sessions, limits, report);
        }

        // One finding per blocking process, however many statements wait for it.
        foreach (var queue in waiting.Where(session => session.Application != Migrator).GroupBy(session => RootBlocker(session, sessions)))
        {
            report.Add("lock_wait", Severity.Warning,
                $"{Quantity.Of(queue.Count(), "statement waits", "statements wait")} for a lock{OnTable(queue.First())}, the longest "
                    + $"for {Quantity.Age(queue.Max(session => session.LockSeconds)!.Value)}: process "
                    + $"{Quantity.Few([.. queue.Select(session => $"{session.Pid}")])}. {DescribeHolder(queue.Key, sessions)}",
                EndAdvice(queue.Key, sessions));
        }

        var idle = sessions.Values.Where(session => session.IsIdleInTransaction && session.Seconds > limits.Slow.TotalSeconds)
            .OrderByDescending(session => session.TransactionSeconds).ToList();
        if (idle.Count > 0)
        {
            report.Add("idle_in_transaction", Severity.Warning,
                $"{Quantity.Of(idle.Count, "session is", "sessions are")} idle in a transaction, which keeps locks and dead rows: "
                    + $"{Quantity.Few([.. idle.Select(Describe)])}.",
                "Fix the client so that it commits or rolls back. To end "
                    + $"{(idle.Count == 1 ? "the session" : "the oldest session")}: `catalog-migrations kill {idle[0].Pid} --connection`.");
        }
    }

    private static async Task<Dictionary<int, Session>> ReadSessions(DbConnection connection, CancellationToken ct)
    {
        // This takes no table lock. It reads only names of tables, and only of tables that a session waits for.
        const string Sql = """
            -- PostgresActivity.ReadSessions
            select a.pid, a.usename::text as "user", coalesce(a.application_name, '') as application, a.state, a.query_start, a.xact_start,
                   a.wait_event_type || ': ' || a.wait_event as wait,
                   extract(epoch from clock_timestamp() - case when a.state = 'active' then a.query_start
                       else a.state_change end)::float8 as seconds,
                   extract(epoch from clock_timestamp() - a.xact_start)::float8 as transaction_seconds,
                   case when a.wait_event_type = 'Lock' then pg_blocking_pids(a.pid) else '{}' end as blocked_by,
                   l.seconds as lock_seconds, l.wanted,
                   left(a.query, 4000) as query
            from pg_stat_activity a
            left join lateral (
                select extract(epoch from clock_timestamp() - coalesce(min(waitstart), a.query_start))::float8 as seconds,
                    min(relation::regclass::text) as wanted
                from pg_locks
                where pid = a.pid and not granted and a.wait_event_type = 'Lock'
                having count(*) > 0
            ) l on true
            where a.datname = current_database() and a.pid <> pg_backend_pid()
            order by a.pid
            """;

        return (await connection.QueryAsync<Session>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct)))
            .ToDictionary(session => session.Pid);
    }

    private static ActiveStatement ToStatement(Session session) => new()
    {
        Pid = session.Pid,
        User = session.User,
        Application = session.Application,
        State = session.State,
        Wait = session.State == "active" ? session.Wait : null,
        Seconds = session.Seconds,
        TransactionSeconds = session.TransactionSeconds,
        BlockedBy = session.BlockedBy,
        Query = QueryText.Shorten(session.Query),
    };

    private static void CheckMigration(Session migration, List<Session> waiting, Dictionary<int, Session> sessions, DoctorThresholds limits,
        DoctorReport report)
    {
        var what = $"A migration (process {migration.Pid}, user {migration.User}) ";
        if (waiting.Contains(migration))
        {
            report.Add("migration_blocked", Severity.Error,
                $"{what}has waited for a lock{OnTable(migration)} for {Quantity.Age(migration.LockSeconds!.Value)}, and other "
                    + $"statements wait behind it. Its statement: {QueryText.Shorten(migration.Query, 120)}. "
                    + $"{DescribeHolder(RootBlocker(migration, sessions), sessions)}",
                $"{EndAdvice(RootBlocker(migration, sessions), sessions)} To cancel the migration instead: `catalog-migrations kill "
                    + $"{migration.Pid}`.");
        }
        else if (migration.Seconds > limits.Slow.TotalSeconds)
        {
            report.Add("migration_slow", Severity.Warning,
                $"{what}has run one statement for "
                    + $"{Quantity.Age(migration.Seconds!.Value)}{(migration.Wait is { } wait ? $", now waiting on {wait}" : "")}: "
                    + $"{QueryText.Shorten(migration.Query, 120)}.",
                $"Wait for it, or cancel it: `catalog-migrations kill {migration.Pid}`. A script in a transaction is then rolled back.");
        }
    }

    // Returns the process at the root of the chain of waits. This process blocks others and itself waits for no lock.
    private static int RootBlocker(Session session, Dictionary<int, Session> sessions)
    {
        var seen = new HashSet<int> { session.Pid };
        var current = session;
        while (current.BlockedBy.FirstOrDefault(seen.Add, -1) is var next and >= 0)
        {
            if (!sessions.TryGetValue(next, out var blocker) || blocker.BlockedBy.Length == 0)
            {
                return next;
            }

            current = blocker;
        }

        return current.Pid;
    }

    private static string DescribeHolder(int pid, Dictionary<int, Session> sessions) => pid == 0
        ? "A prepared transaction holds the lock."
        : sessions.TryGetValue(pid, out var session)
        ? $"The lock is held by {Describe(session)}: {QueryText.Shorten(session.Query, 120)}." : $"The lock is held by process {pid}.";

    private static string Describe(Session session) =>
        $"process {session.Pid} "
            + $"({string.Join(", ", new[] { session.Application, session.User, session.State, session.TransactionSeconds is { } age ? $"transaction of {Quantity.Age(age)}" : null }.Where(word => word is { Length: > 0 }))})";

    // An idle transaction has no statement to cancel, so the advice is to end its connection.
    private static string EndAdvice(int pid, Dictionary<int, Session> sessions) => pid == 0
        ? "Find the transaction in pg_prepared_xacts and commit it or roll it back."
        : "Wait for that process, or end it: `catalog-migrations kill "
            + $"{pid}{(sessions.TryGetValue(pid, out var session) && session.State != "active" ? " --connection" : "")}`.";

    private static string OnTable(Session session) => session.Wanted is { } table ? $" on {table}" : "";

    private sealed record Session
    {
        public required int Pid { get; init; }

        public string? User { get; init; }

        public required string Application { get; init; }

        public string? State { get; init; }

        public string? Wait { get; init; }

        public double? Seconds { get; init; }

        public double? TransactionSeconds { get; init; }

        public required int[] BlockedBy { get; init; }

        public double? LockSeconds { get; init; }

        public string? Wanted { get; init; }

        public string? Query { get; init; }

        public bool IsIdleInTransaction => State?.StartsWith("idle in transaction", StringComparison.Ordinal) == true;
    }
}
