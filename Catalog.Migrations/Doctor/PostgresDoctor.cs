using System.Data.Common;
using Catalog.Data.Database.Postgres;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Doctor;

/// <summary>
/// The checks of a Postgres database. Each runs in a read-only transaction with a time limit of five seconds per
/// statement.
/// </summary>
internal sealed class PostgresDoctor(PostgresSession session) : EngineDoctor
{
    internal override async Task<Place> Locate(DbConnection connection, CancellationToken ct)
    {
        // The server's own identifiers are compared, because different addresses, poolers and standbys can lead to the
        // same database.
        const string Sql = """
            -- PostgresDoctor.Locate
            select (select system_identifier from pg_control_system()) || '/' || (select oid from pg_database
                where datname = current_database()) as place,
                   session_user::text as login, pg_backend_pid() as process
            """;

        var found = await connection.QuerySingleAsync<Found>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct));
        return new(found.Place, found.Login, found.Process, ((NpgsqlConnection)connection).ProcessID != found.Process);
    }

    internal override async Task Check(DbConnection connection, Client service, DoctorThresholds limits, DoctorReport report,
        CancellationToken ct)
    {
        await RunCheck(connection, "The server", () => PostgresServerState.Check(connection, limits, report, ct), report, ct);
        await RunCheck(connection, "The current activity", () => PostgresActivity.Check(connection, limits, report, ct), report, ct);
        await RunCheck(connection, "The connection limits", () => PostgresPoolLimits.Check(connection, service, report, ct), report, ct);
        await RunCheck(connection, "The service's role", () => PostgresRoles.Check(connection, service, report, ct), report, ct);
        await RunCheck(connection, "Citus", () => PostgresCitusState.Check(connection, service, report, ct), report, ct);
        await RunCheck(connection, "The tables", () => PostgresStorage.Check(connection, limits, report, ct), report, ct);
        await RunCheck(connection, "The slowest statements", () => PostgresSlowStatements.Check(connection, report, ct), report, ct);
    }

    internal override async Task RunCheck(DbConnection connection, string subject, Func<Task> check, DoctorReport report,
        CancellationToken ct)
    {
        // The settings are local to the transaction, because session settings would remain on a pooler's connection.
        // The lock time-out is short, so that the checks do not wait for a migration.
        const string Sql = """
            -- PostgresDoctor.RunCheck
            select set_config('transaction_read_only', 'on', true), set_config('statement_timeout', '5s', true), set_config('lock_timeout',
                '1s', true),
                   set_config('search_path', @path, true), set_config('timezone', 'UTC', true)
            """;

        try
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await connection.ExecuteAsync(
                new CommandDefinition(Sql, new { path = session.SearchPath }, transaction, commandTimeout: 10, cancellationToken: ct));
            await check();
        }
        catch (PostgresException exception) when (connection.State == System.Data.ConnectionState.Open)
        {
            report.Add("not_examined", Severity.Note, $"{subject} could not be checked: {exception.MessageText} ({exception.SqlState}).",
                exception.SqlState == "42501"
                    ? "Set DATAXPIPE_MIGRATIONS_DB to an address with a role that has the privilege, such as the tables' owner."
                        : "Run `catalog-migrations doctor` again.");
        }
    }

    private sealed record Found
    {
        public required string Place { get; init; }

        public required string Login { get; init; }

        public required int Process { get; init; }
    }
}
