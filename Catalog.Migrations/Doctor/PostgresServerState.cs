using System.Data.Common;
using Catalog.Data;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Looks at what concerns the whole server and the whole database.</summary>
internal static class PostgresServerState
{
    public static async Task Look(DbConnection connection, DoctorThresholds limits, DoctorReport examined, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresServerState.Look
            select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby,
                   age(d.datfrozenxid)::bigint as transaction_age, mxid_age(d.datminmxid)::bigint as multixact_age,
                   current_user::text as login, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as sees_all
            from pg_database d
            where d.datname = current_database()
            """;

        var state = await connection.QuerySingleAsync<State>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct));
        if (state.Version < 150_000)
        {
            examined.Add("server_too_old", Severity.Error, $"The server is PostgreSQL {state.Version / 10_000}; the Catalog needs 15 or later.", "Upgrade the server, or name another in the address.");
        }

        if (state.Encoding != "UTF8")
        {
            examined.Add("wrong_encoding", Severity.Error, $"The database's encoding is {state.Encoding}, which cannot hold every text.",
                "Run `create database NAME encoding 'UTF8' template template0` as a role that may, and name that one in the address.");
        }

        if (state.Standby)
        {
            examined.Add("standby", Severity.Error, "The migrator's address leads to a standby, which takes no changes.",
                "Set DATAXPIPE_MIGRATIONS_DB to the primary, or add target_session_attrs=primary to an address of several hosts.");
        }

        if (Math.Max(state.TransactionAge, state.MultixactAge) > limits.TransactionAge)
        {
            examined.Add("wraparound_near", Severity.Error,
                $"The oldest row is {Quantity.Number(Math.Max(state.TransactionAge, state.MultixactAge))} transactions old; before 2,147,483,648 the server stops taking writes.",
                "End long transactions, prepared transactions and replication slots that hold rows back, then run `vacuum (freeze, verbose)` in this database as its owner, outside working hours.");
        }

        if (!state.SeesAll)
        {
            examined.Add("statistics_hidden", Severity.Note, $"{state.Login} sees the statements of its own role only; what others run, wait for or leave open is not judged.",
                $"Let an administrator run `grant pg_read_all_stats to \"{state.Login}\"`.");
        }

        await LookAtSlots(connection, limits, examined, ct);
        await LookAtPrepared(connection, limits, examined, ct);
    }

    private static async Task LookAtSlots(DbConnection connection, DoctorThresholds limits, DoctorReport examined, CancellationToken ct)
    {
        // The log belongs to the whole server, so slots of other databases count too.
        const string Sql = """
            -- PostgresServerState.LookAtSlots
            select slot_name as name, active, coalesce(wal_status, 'unknown') as status,
                   coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn), 0)::bigint as bytes
            from pg_replication_slots
            order by slot_name
            """;

        foreach (var slot in await connection.QueryAsync<Slot>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct)))
        {
            if (slot.Bytes > limits.SlotBytes || slot.Status is "unreserved" or "lost")
            {
                examined.Add("replication_slot_behind", Severity.Warning,
                    $"Replication slot {slot.Name} ({(slot.Active ? "in use" : "used by nobody")}) holds back {Quantity.Size(slot.Bytes)} of write-ahead log ({slot.Status}), which can fill the disk.",
                    slot.Active ? "Look why its reader is slow." : $"Start its reader, or run `select pg_drop_replication_slot('{slot.Name}')` if nobody needs it.");
            }
        }
    }

    private static async Task LookAtPrepared(DbConnection connection, DoctorThresholds limits, DoctorReport examined, CancellationToken ct)
    {
        const string Sql = """
            -- PostgresServerState.LookAtPrepared
            select gid as name, extract(epoch from clock_timestamp() - prepared)::float8 as seconds
            from pg_prepared_xacts
            where database = current_database()
            order by prepared
            """;

        foreach (var (name, seconds) in await connection.QueryAsync<(string Name, double Seconds)>(new CommandDefinition(Sql, commandTimeout: 10, cancellationToken: ct)))
        {
            if (seconds > limits.Slow.TotalSeconds)
            {
                examined.Add("prepared_transaction", Severity.Warning, $"Prepared transaction {name} has been left for {Quantity.Age(seconds)}; it keeps its locks over every restart.",
                    $"Run `commit prepared '{name.Replace("'", "''", StringComparison.Ordinal)}'` or `rollback prepared` of the same, as its owner.");
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
