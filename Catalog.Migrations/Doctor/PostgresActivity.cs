using System.Data.Common;
using Catalog.Data;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Looks at what the other connections to this database do: migrations, waits, transactions that were left open.</summary>
internal static class PostgresActivity
{
    private const string Migrator = "catalog-migrations";

    public static async Task Look(DbConnection connection, DoctorThresholds limits, DoctorReport examined, CancellationToken ct)
    {
        // A name of a lock's table is only looked up where somebody waits for one; neither it nor a size of anything takes a lock itself.
        const string Sql = """
            -- PostgresActivity.Look
            select a.pid, a.usename::text as "user", coalesce(a.application_name, '') as application, a.state, a.query_start, a.xact_start,
                   a.wait_event_type || ': ' || a.wait_event as wait,
                   extract(epoch from clock_timestamp() - case when a.state = 'active' then a.query_start else a.state_change end)::float8 as seconds,
                   extract(epoch from clock_timestamp() - a.xact_start)::float8 as transaction_seconds,
                   case when a.wait_event_type = 'Lock' then pg_blocking_pids(a.pid) else '{}' end as blocked_by,
                   l.seconds as lock_seconds, l.wanted,
                   left(a.query, 4000) as query
            from pg_stat_activity a
            left join lateral (
                select extract(epoch from clock_timestamp() - coalesce(min(waitstart), a.query_start))::float8 as seconds, min(relation::regclass::text) as wanted
                from pg_locks
                where pid = a.pid and not granted and a.wait_event_type = 'Lock'
                having count(*) > 0
            ) l on true
            where a.datname = current_database() and a.pid <> pg_backend_pid()
            order by a.pid
            """;

        var sessions = (await connection.QueryAsync<Session>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct)))
            .ToDictionary(session => session.Pid);
        examined.ActiveStatements =
        [
            .. sessions.Values.Where(session => session.State is not (null or "idle"))
                .OrderByDescending(session => session.Seconds)
                .Select(session => new ActiveStatement
                {
                    Pid = session.Pid,
                    User = session.User,
                    Application = session.Application,
                    State = session.State,
                    Wait = session.State == "active" ? session.Wait : null,
                    Seconds = session.Seconds,
                    TransactionSeconds = session.TransactionSeconds,
                    BlockedBy = session.BlockedBy,
                    Query = QueryText.Beginning(session.Query),
                }),
        ];

        var waiting = sessions.Values.Where(session => session.LockSeconds >= limits.Waiting.TotalSeconds).ToList();
        foreach (var migration in sessions.Values.Where(session => session.Application == Migrator && session.State == "active"))
        {
            Judge(migration, waiting, sessions, limits, examined);
        }

        // Twenty requests behind one lock have one cause.
        foreach (var queue in waiting.Where(session => session.Application != Migrator).GroupBy(session => Root(session, sessions)))
        {
            examined.Add("lock_wait", Severity.Warning,
                $"{Quantity.Of(queue.Count(), "statement waits", "statements wait")} for a lock{Wanted(queue.First())}, the longest for {Quantity.Age(queue.Max(session => session.LockSeconds)!.Value)}: process {Quantity.Few([.. queue.Select(session => $"{session.Pid}")])}. {Who(queue.Key, sessions)}",
                End(queue.Key, sessions));
        }

        var idle = sessions.Values.Where(session => session.IsIdleInTransaction && session.Seconds > limits.Slow.TotalSeconds).OrderByDescending(session => session.TransactionSeconds).ToList();
        if (idle.Count > 0)
        {
            examined.Add("idle_in_transaction", Severity.Warning,
                $"{Quantity.Of(idle.Count, "session is", "sessions are")} idle in a transaction, which keeps locks and dead rows: {Quantity.Few([.. idle.Select(Words)])}.",
                $"Mend the client so that it commits or rolls back; to end {(idle.Count == 1 ? "it" : "the oldest")}: `catalog-migrations kill {idle[0].Pid} --connection`.");
        }
    }

    private static void Judge(Session migration, List<Session> waiting, Dictionary<int, Session> sessions, DoctorThresholds limits, DoctorReport examined)
    {
        var what = $"A migration (process {migration.Pid}, user {migration.User}) ";
        if (waiting.Contains(migration))
        {
            examined.Add("migration_blocked", Severity.Error,
                $"{what}has waited for a lock{Wanted(migration)} for {Quantity.Age(migration.LockSeconds!.Value)}, and others wait behind it. Its statement: {QueryText.Beginning(migration.Query, 120)}. {Who(Root(migration, sessions), sessions)}",
                $"{End(Root(migration, sessions), sessions)} To give the migration up instead: `catalog-migrations kill {migration.Pid}`.");
        }
        else if (migration.Seconds > limits.Slow.TotalSeconds)
        {
            examined.Add("migration_slow", Severity.Warning,
                $"{what}has run one statement for {Quantity.Age(migration.Seconds!.Value)}{(migration.Wait is { } wait ? $", now waiting on {wait}" : "")}: {QueryText.Beginning(migration.Query, 120)}.",
                $"Let it end, or give it up: `catalog-migrations kill {migration.Pid}`; its script is then undone.");
        }
    }

    // The process that others wait for and that waits for none itself: who is asked to make room.
    private static int Root(Session session, Dictionary<int, Session> sessions)
    {
        var seen = new HashSet<int> { session.Pid };
        var at = session;
        while (at.BlockedBy.FirstOrDefault(seen.Add, -1) is var next and >= 0)
        {
            if (!sessions.TryGetValue(next, out var blocker) || blocker.BlockedBy.Length == 0)
            {
                return next;
            }

            at = blocker;
        }

        return at.Pid;
    }

    private static string Who(int pid, Dictionary<int, Session> sessions) => pid == 0
        ? "A prepared transaction holds it."
        : sessions.TryGetValue(pid, out var session) ? $"It is held by {Words(session)}: {QueryText.Beginning(session.Query, 120)}." : $"It is held by process {pid}.";

    private static string Words(Session session) =>
        $"process {session.Pid} ({string.Join(", ", new[] { session.Application, session.User, session.State, session.TransactionSeconds is { } age ? $"transaction of {Quantity.Age(age)}" : null }.Where(word => word is { Length: > 0 }))})";

    // A transaction that does nothing has no statement to cancel.
    private static string End(int pid, Dictionary<int, Session> sessions) => pid == 0
        ? "Find it in pg_prepared_xacts and commit or roll it back."
        : $"Let that end, or end it: `catalog-migrations kill {pid}{(sessions.TryGetValue(pid, out var session) && session.State != "active" ? " --connection" : "")}`.";

    private static string Wanted(Session session) => session.Wanted is { } table ? $" on {table}" : "";

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
