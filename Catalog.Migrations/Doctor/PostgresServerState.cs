using System.Data.Common;
using Catalog.Data;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Checks the state of the server and of the database as a whole.</summary>
internal static class PostgresServerState
{
    public static async Task Check(DbConnection connection, DoctorThresholds limits, DoctorReport report, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresServerState.Check
            select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
                pg_is_in_recovery() as standby,
                   age(d.datfrozenxid)::bigint as transaction_age, mxid_age(d.datminmxid)::bigint as multixact_age,
                   current_user::text as login, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as sees_all
            from pg_database d
            where d.datname = current_database()
            """;

        var state = await connection.QuerySingleAsync<State>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct));
        if (state.Version < 150_000)
        {
            report.Add("server_too_old", Severity.Error,
                $"The server is PostgreSQL {state.Version / 10_000}; the Catalog needs 15 or later.",
                "Upgrade the server, or set the address to another server.");
        }

        if (state.Encoding != "UTF8")
        {
            report.Add("wrong_encoding", Severity.Error,
                $"The database's encoding is {state.Encoding}, which cannot store all Unicode text.",
                "Run `create database NAME encoding 'UTF8' template template0` as a role with the createdb privilege, and set "
                    + "DATAXPIPE_MIGRATIONS_DB to the address of the new database.");
        }

        if (state.Standby)
        {
            report.Add("standby", Severity.Error, "The migrator's address leads to a standby, which is read-only.",
                "Set DATAXPIPE_MIGRATIONS_DB to the primary, or add target_session_attrs=primary to an address of several hosts.");
        }

        if (Math.Max(state.TransactionAge, state.MultixactAge) > limits.TransactionAge)
        {
            report.Add("wraparound_near", Severity.Error,
                $"The oldest row is {Quantity.Number(Math.Max(state.TransactionAge, state.MultixactAge))} transactions old. Shortly "
                    + "before 2,147,483,648 the server rejects writes.",
                "End long transactions, prepared transactions and replication slots that retain old rows. Then run `vacuum (freeze, "
                    + "verbose)` in this database as its owner, outside working hours.");
        }

        if (!state.SeesAll)
        {
            report.Add("statistics_hidden", Severity.Note,
                $"{state.Login} sees only the statements of its own role. The activity of other roles is not checked.",
                $"Ask an administrator to run `grant pg_read_all_stats to \"{state.Login}\"`.");
        }

        await CheckSlots(connection, limits, report, ct);
        await CheckPrepared(connection, limits, report, ct);
    }

    private static async Task CheckSlots(DbConnection connection, DoctorThresholds limits, DoctorReport report, CancellationToken ct)
    {
        // The write-ahead log is shared by all databases, so the slots of other databases count too.
        const string Sql = """
            -- PostgresServerState.CheckSlots
            select slot_name as name, active, coalesce(wal_status, 'unknown') as status,
                   coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
                       restart_lsn), 0)::bigint as bytes
            from pg_replication_slots
            order by slot_name
            """;

        foreach (var slot in await connection.QueryAsync<Slot>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct)))
        {
            if (slot.Bytes > limits.SlotBytes || slot.Status is "unreserved" or "lost")
            {
                report.Add("replication_slot_behind", Severity.Warning,
                    $"Replication slot {slot.Name} ({(slot.Active ? "active" : "inactive")}) retains {Quantity.Size(slot.Bytes)} of "
                        + $"write-ahead log ({slot.Status}), which can fill the disk.",
                    slot.Active
                        ? "Find out why its consumer is slow."
                            : $"Start its consumer, or run `select pg_drop_replication_slot('{slot.Name}')` if the slot is not needed.");
            }
        }
    }

    private static async Task CheckPrepared(DbConnection connection, DoctorThresholds limits, DoctorReport report, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresServerState.CheckPrepared
            select gid as name, extract(epoch from clock_timestamp() - prepared)::float8 as seconds
            from pg_prepared_xacts
            where database = current_database()
            order by prepared
            """;

        foreach (var (name, seconds) in await connection.QueryAsync<(string Name, double Seconds)>(
            new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct)))
        {
            if (seconds > limits.Slow.TotalSeconds)
            {
                report.Add("prepared_transaction", Severity.Warning,
                    $"Prepared transaction {name} has been open for {Quantity.Age(seconds)}. It keeps its locks even over a restart.",
                    $"Run `commit prepared '{name.Replace("'", "''", StringComparison.Ordinal)}'` or `rollback prepared` with the "
                        + "same name, as its owner.");
            }
        }
    }

    private sealed record State
    {
        public required int Version { get; init; }

        public required string Encoding { get; init; }

        public required bool Standby { get; init; }

        public required long TransactionAge { get; init; }

        public required long MultixactAge { get; init; }

        public required string Login { get; init; }

        public required bool SeesAll { get; init; }
    }

    private sealed record Slot
    {
        public required string Name { get; init; }

        public required bool Active { get; init; }

        public required string Status { get; init; }

        public required long Bytes { get; init; }
    }
}
