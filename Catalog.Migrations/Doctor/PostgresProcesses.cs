using System.Data.Common;
using Catalog.Data.Migrations;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Doctor;

/// <summary>A server process and the statement it runs.</summary>
public sealed record ServerProcess
{
    public required int Pid { get; init; }

    public string? User { get; init; }

    public required string Application { get; init; }

    /// <summary><c>active</c>, <c>idle</c>, <c>idle in transaction</c> and so on; null when this role may not see it.</summary>
    public string? State { get; init; }

    /// <summary>Since the statement began; null when it is not known.</summary>
    public double? Seconds { get; init; }

    /// <summary>The text's beginning on one line.</summary>
    public required string Query { get; init; }

    internal DateTimeOffset? BackendStart { get; init; }

    internal DateTimeOffset? QueryStart { get; init; }
}

/// <summary>Ends statements and connections of other clients of one database.</summary>
public static class PostgresProcesses
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A client's process on this database.</summary>
    /// <exception cref="MigrationException">There is none of this number, or it is not one to end.</exception>
    public static async Task<ServerProcess> Find(DbConnection connection, int pid, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresProcesses.Find
            select pid, usename::text as "user", coalesce(application_name, '') as application, state, backend_start, query_start, coalesce(left(query, 4000), '') as query,
                   extract(epoch from clock_timestamp() - case when state = 'active' then query_start else state_change end)::float8 as seconds,
                   backend_type, datname::text as database, datname is not distinct from current_database() as here, pid = pg_backend_pid() as own
            from pg_stat_activity
            where pid = @pid
            """;

        static MigrationException Refusal(string message) => new(MigrationFault.UnknownTarget, message);
        var found = await connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition(Sql, new { pid }, commandTimeout: 10, cancellationToken: ct))
            ?? throw Refusal($"The server has no process {pid}; it may have ended. `catalog-migrations doctor` lists those at work.");
        if (found.Own)
        {
            throw Refusal($"Process {pid} is this command's own.");
        }

        // Of another role's process a plain role sees no kind; the server then refuses by itself.
        if (found.User is null || found.BackendType is not (null or "client backend"))
        {
            throw Refusal($"Process {pid} is no client's but the server's own ({found.BackendType ?? "background worker"}): it is not ended from here.");
        }

        if (!found.Here)
        {
            throw Refusal($"Process {pid} works on another database ({found.Database}), not on this one.");
        }

        return new()
        {
            Pid = found.Pid,
            User = found.User,
            Application = found.Application,
            State = found.State,
            Seconds = found.Seconds,
            Query = QueryText.Beginning(found.Query),
            BackendStart = found.BackendStart,
            QueryStart = found.QueryStart,
        };
    }

    /// <summary>Ends the statement that was looked at, or the whole connection, and waits until it is seen to be gone.</summary>
    /// <param name="connection">Open.</param>
    /// <param name="process">As <see cref="Find"/> gave it.</param>
    /// <param name="whole">The connection, not only the statement.</param>
    /// <param name="ct">Stops the wait.</param>
    /// <returns>True: it is gone. False: it was asked to end and has not within five seconds. Null: it had ended by itself before.</returns>
    /// <exception cref="MigrationException">This role may not.</exception>
    public static async Task<bool?> End(DbConnection connection, ServerProcess process, bool whole, CancellationToken ct)
    {
        // While a person made up their mind, the process may have gone on to another statement, or its number to another client.
        const string Cancel = """
            -- PostgresProcesses.End cancel
            select pg_cancel_backend(pid) from pg_stat_activity
            where pid = @Pid and backend_start is not distinct from @BackendStart and query_start is not distinct from @QueryStart and state is not distinct from @State
            """;
        const string Terminate = """
            -- PostgresProcesses.End terminate
            select pg_terminate_backend(pid) from pg_stat_activity
            where pid = @Pid and backend_start is not distinct from @BackendStart
            """;
        // The state is null where it is hidden: then only the end of the process shows.
        const string There = """
            -- PostgresProcesses.End there
            select exists (
                select from pg_stat_activity
                where pid = @Pid and backend_start is not distinct from @BackendStart
                  and (@whole or state is null or state = 'active' and query_start is not distinct from @QueryStart)
            )
            """;

        var named = new { process.Pid, process.BackendStart, process.QueryStart, process.State, whole };
        try
        {
            if (await connection.ExecuteScalarAsync<bool?>(new CommandDefinition(whole ? Terminate : Cancel, named, commandTimeout: 10, cancellationToken: ct)) is not true)
            {
                return null;
            }
        }
        catch (PostgresException exception) when (exception.SqlState == "42501")
        {
            throw new MigrationException(MigrationFault.WrongTarget,
                $"This role may not end process {process.Pid}: only its own role ({process.User}), members of that or of pg_signal_backend, and superusers may; a superuser's process only a superuser.", exception);
        }

        var until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (await connection.ExecuteScalarAsync<bool>(new CommandDefinition(There, named, commandTimeout: 10, cancellationToken: ct)))
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
