using System.Data.Common;
using Catalog.Data.Migrations;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Doctor;

/// <summary>A server process and its current statement.</summary>
public sealed record ServerProcess
{
    public required int Pid { get; init; }

    public string? User { get; init; }

    public required string Application { get; init; }

    /// <summary><c>active</c>, <c>idle</c>, <c>idle in transaction</c> and so on; null if hidden from this role.</summary>
    public string? State { get; init; }

    /// <summary>
    /// Seconds since the statement started; for an inactive process, since its state changed. Null if unknown.
    /// </summary>
    public double? Seconds { get; init; }

    /// <summary>The shortened text on one line.</summary>
    public required string Query { get; init; }

    internal DateTimeOffset? BackendStart { get; init; }

    internal DateTimeOffset? QueryStart { get; init; }
}

/// <summary>Cancels statements and ends connections of other clients of the database.</summary>
public static class PostgresProcesses
{
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Finds a client's process on this database.</summary>
    /// <exception cref="MigrationException">The process does not exist, is not a client's process, or uses another database.</exception>
    public static async Task<ServerProcess> Find(DbConnection connection, int pid, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresProcesses.Find
            select pid, usename::text as "user", coalesce(application_name, '') as application, state, backend_start, query_start,
                coalesce(left(query, 4000), '') as query,
                   extract(epoch from clock_timestamp() - case when state = 'active' then query_start
                       else state_change end)::float8 as seconds,
                   backend_type, datname::text as database, datname is not distinct from current_database() as here,
                       pid = pg_backend_pid() as own
            from pg_stat_activity
            where pid = @pid
            """;

        static MigrationException NotEndable(string message) => new(MigrationFault.UnknownTarget, message);
        var found = await connection.QuerySingleOrDefaultAsync<Row>(
            new CommandDefinition(Sql, new { pid }, commandTimeout: 10, cancellationToken: ct))
            ?? throw NotEndable(
                $"The server has no process {pid}; it may have ended. `catalog-migrations doctor` lists the active processes.");
        if (found.Own)
        {
            throw NotEndable($"Process {pid} belongs to this command itself. Choose another process.");
        }

        // The type of other roles' processes can be hidden from this role. Then only the server checks the permission.
        if (found.User is null || found.BackendType is not (null or "client backend"))
        {
            throw NotEndable(
                $"Process {pid} is a process of the server itself ({found.BackendType ?? "background worker"}): this command does "
                    + "not end it.");
        }

        if (!found.Here)
        {
            throw NotEndable(
                $"Process {pid} uses another database ({found.Database}). To end it, set DATAXPIPE_MIGRATIONS_DB to that database.");
        }

        return new()
        {
            Pid = found.Pid,
            User = found.User,
            Application = found.Application,
            State = found.State,
            Seconds = found.Seconds,
            Query = QueryText.Shorten(found.Query),
            BackendStart = found.BackendStart,
            QueryStart = found.QueryStart,
        };
    }

    /// <summary>Cancels the statement or ends the connection, and waits until it has ended.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="process">The result of <see cref="Find"/>.</param>
    /// <param name="wholeConnection">True to end the connection, false to cancel the statement.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <returns>True: ended. False: not ended within five seconds of the request. Null: already ended before the request.</returns>
    /// <exception cref="MigrationException">The current role lacks permission.</exception>
    public static async Task<bool?> End(DbConnection connection, ServerProcess process, bool wholeConnection, CancellationToken ct)
    {
        // After Find, the process can have started another statement, or another client can have got its process id. So
        // the statements also compare the start times.
        const string Cancel = """
            -- PostgresProcesses.End cancel
            select pg_cancel_backend(pid) from pg_stat_activity
            where pid = @Pid and backend_start is not distinct from @BackendStart and query_start is not distinct from @QueryStart
                and state is not distinct from @State
            """;
        const string Terminate = """
            -- PostgresProcesses.End terminate
            select pg_terminate_backend(pid) from pg_stat_activity
            where pid = @Pid and backend_start is not distinct from @BackendStart
            """;
        // A null state means that the state is hidden from this role. Then only the end of the process is visible.
        const string StillRunning = """
            -- PostgresProcesses.End still running
            select exists (
                select from pg_stat_activity
                where pid = @Pid and backend_start is not distinct from @BackendStart
                  and (@wholeConnection or state is null or state = 'active' and query_start is not distinct from @QueryStart)
            )
            """;

        var parameters = new { process.Pid, process.BackendStart, process.QueryStart, process.State, wholeConnection };
        try
        {
            if (await connection.ExecuteScalarAsync<bool?>(
                new CommandDefinition(wholeConnection ? Terminate : Cancel, parameters, commandTimeout: 10, cancellationToken: ct))
                    is not true)
            {
                return null;
            }
        }
        catch (PostgresException exception) when (exception.SqlState == "42501")
        {
            throw new MigrationException(MigrationFault.WrongTarget,
                $"The current role lacks permission to end process {process.Pid}. Permitted are its own role ({process.User}), "
                    + "members of that role or of pg_signal_backend, and superusers; for a superuser's process only superusers.",
                        exception);
        }

        var until = Environment.TickCount64 + (long)EndTimeout.TotalMilliseconds;
        while (await connection.ExecuteScalarAsync<bool>(
            new CommandDefinition(StillRunning, parameters, commandTimeout: 10, cancellationToken: ct)))
        {
            if (Environment.TickCount64 > until)
            {
                return false;
            }

            await Task.Delay(50, ct);
        }

        return true;
    }

    private sealed record Row
    {
        public required int Pid { get; init; }

        public string? User { get; init; }

        public required string Application { get; init; }

        public string? State { get; init; }

        public DateTimeOffset? BackendStart { get; init; }

        public DateTimeOffset? QueryStart { get; init; }

        public required string Query { get; init; }

        public double? Seconds { get; init; }

        public string? BackendType { get; init; }

        public string? Database { get; init; }

        public required bool Here { get; init; }

        public required bool Own { get; init; }
    }
}
