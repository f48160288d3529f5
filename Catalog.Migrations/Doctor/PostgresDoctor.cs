using System.Data.Common;
using Catalog.Data.Database.Postgres;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Doctor;

/// <summary>Looks at a Postgres database part by part, each in a read-only transaction of at most five seconds.</summary>
internal sealed class PostgresDoctor(PostgresSession session) : EngineDoctor
{
    internal override async Task<Place> Locate(DbConnection connection, CancellationToken ct)
    {
        // The address may lead through a pooler or to a standby, so only the server itself can say which database this is.
        const string Sql = """
            -- PostgresDoctor.Locate
            select (select system_identifier from pg_control_system()) || '/' || (select oid from pg_database where datname = current_database()) as place,
                   session_user::text as login, pg_backend_pid() as process
            """;

        var found = await connection.QuerySingleAsync<Found>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct));
        return new(found.Place, found.Login, found.Process, ((NpgsqlConnection)connection).ProcessID != found.Process);
    }

    internal override async Task Look(DbConnection connection, Client service, DoctorThresholds limits, DoctorReport examined, CancellationToken ct)
    {
        await Part(connection, "The server", () => PostgresServerState.Look(connection, limits, examined, ct), examined, ct);
        await Part(connection, "What runs now", () => PostgresActivity.Look(connection, limits, examined, ct), examined, ct);
        await Part(connection, "The limits on connections", () => PostgresPoolLimits.Look(connection, service, examined, ct), examined, ct);
        await Part(connection, "The service's role", () => PostgresRoles.Look(connection, service, examined, ct), examined, ct);
        await Part(connection, "The tables", () => PostgresStorage.Look(connection, limits, examined, ct), examined, ct);
        await Part(connection, "The slowest statements", () => PostgresStatistics.Look(connection, examined, ct), examined, ct);
    }

    internal override async Task Part(DbConnection connection, string what, Func<Task> part, DoctorReport examined, CancellationToken ct)
    {
        // Local settings: what is set for a session would stay behind in a pooler. A table that a migration holds is not waited for.
        const string Sql = """
            -- PostgresDoctor.Part
            select set_config('transaction_read_only', 'on', true), set_config('statement_timeout', '5s', true), set_config('lock_timeout', '1s', true),
                   set_config('search_path', @path, true), set_config('timezone', 'UTC', true)
            """;

        try
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await connection.ExecuteAsync(new CommandDefinition(Sql, new { path = session.SearchPath }, transaction, commandTimeout: 10, cancellationToken: ct));
            await part();
        }
        catch (PostgresException exception) when (connection.State == System.Data.ConnectionState.Open)
        {
            examined.Add("not_examined", Severity.Note, $"{what} could not be looked at: {exception.MessageText} ({exception.SqlState}).",
                exception.SqlState == "42501" ? "Name a role that may, such as the tables' owner, in DATAXPIPE_MIGRATIONS_DB." : "Run `catalog-migrations doctor` again.");
        }
    }

    private sealed record Found
    {
        public required string Place { get; init; }

        public required string Login { get; init; }

        public required int Process { get; init; }
    }
}
