using System.Data.Common;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Transfer;

/// <summary>The target database of a transfer: writes and reads rows in the binary format of COPY.</summary>
internal sealed class PostgresTarget(DbConnection connection)
{
    private static readonly byte[] Header = [.. "PGCOPY\n"u8, 0xff, .. "\r\n\0"u8, 0, 0, 0, 0, 0, 0, 0, 0];
    private static readonly byte[] Trailer = [0xff, 0xff];
    private readonly NpgsqlConnection _connection = (NpgsqlConnection)connection;
    private string? _trialTable;

    /// <summary>
    /// Configures the session. A statement then fails if row-level security would hide rows from it. Rows are read in
    /// the order of the key by an index scan, without a sort.
    /// </summary>
    public Task Begin(CancellationToken ct) => Execute(
        "select set_config('row_security', 'off', false), set_config('enable_sort', 'off', false), set_config('enable_seqscan', "
            + "'off', false), set_config('max_parallel_workers_per_gather', '0', false)", ct);

    /// <inheritdoc cref="PostgresTables.Read"/>
    public Task<IReadOnlyList<TransferTable>> Tables(CancellationToken ct) => PostgresTables.Read(_connection, ct);

    public async Task<long> Count(TransferTable table, CancellationToken ct) =>
        await _connection.ExecuteScalarAsync<long>(new CommandDefinition($"select count(*) from {Name(table)}", cancellationToken: ct));

    /// <summary>
    /// Sets whether a commit waits for the disk. While rows are loaded, this is not needed: a crash of the server loses
    /// only the last rows, and the next transfer loads them again.
    /// </summary>
    public Task WaitForDisk(bool wait, CancellationToken ct) =>
        Execute($"select set_config('synchronous_commit', '{(wait ? "on" : "off")}', false)", ct);

    /// <summary>Starts to load rows in a separate transaction, which commits at <see cref="PostgresCopyIn.Complete"/>.</summary>
    public PostgresCopyIn CopyIn(TransferTable table) => CopyIn(table, Name(table));

    /// <summary>Starts to read the rows of a table in the order of its primary key.</summary>
    public PostgresCopyOut CopyOut(TransferTable table)
    {
        var order = table.Key.Select(place => table.Columns[place])
            .Select(column => TransferTable.Quote(column.Name) + (column.BytewiseOrder ? "" : " collate \"C\""));
        var stream = _connection.BeginRawBinaryCopy(
            $"copy (select {Columns(table)} from {Name(table)} order by {string.Join(", ", order)}) to stdout (format binary)");
        return new(stream, Header.Length);
    }

    /// <summary>Creates an empty temporary table with a table's constraints and indexes, for <see cref="TryRow"/>.</summary>
    public async Task CreateTrialTable(TransferTable table, CancellationToken ct)
    {
        await DropTrialTable(ct);
        await Execute($"create temp table transfer_trial (like {Name(table)} including all)", ct);
        _trialTable = "pg_temp.transfer_trial";
    }

    public async Task DropTrialTable(CancellationToken ct)
    {
        if (_trialTable is not null)
        {
            await Execute($"drop table {_trialTable}", ct);
            _trialTable = null;
        }
    }

    /// <summary>Inserts one row into the temporary table and rolls back.</summary>
    /// <returns>Null if the server accepts the row. Otherwise the reason, and the name of the violated constraint; the
    /// name is null if the reason is not a constraint.</returns>
    public async Task<(string? Constraint, string Reason)?> TryRow(TransferTable table, ReadOnlyMemory<byte> row, CancellationToken ct)
    {
        await using var transaction = await _connection.BeginTransactionAsync(ct);
        try
        {
            using var copy = CopyIn(table, _trialTable!);
            copy.Write(row.Span);
            copy.Complete();
            return null;
        }
        catch (PostgresException exception) when (exception.SqlState is { } state && (state[..2] is "22" or "23" || state == "54000"))
        {
            return exception.SqlState == "54000" ? (null, "is too long for the target's index")
                : (exception.ConstraintName,
                    $"is rejected by the target: {(exception.ConstraintName is { } name ? $"constraint {name}" : exception.MessageText)}");
        }
    }

    /// <summary>
    /// Sets the sequences of a table's columns to continue after the greatest value, and updates the planner's
    /// statistics.
    /// </summary>
    public async Task Finish(TransferTable table, CancellationToken ct)
    {
        const string Sequences = """
            -- PostgresTarget.Finish
            select s.oid::regclass::text as sequence, a.attname as column, q.seqstart as start
            from pg_depend d
            join pg_class s on s.oid = d.objid and s.relkind = 'S'
            join pg_sequence q on q.seqrelid = s.oid
            join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
            where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
                and d.refobjid = @name::regclass
            """;

        foreach (var (sequence, column, start) in await _connection.QueryAsync<(string, string, long)>(
            new CommandDefinition(Sequences, new { name = Name(table) }, cancellationToken: ct)))
        {
            await _connection.ExecuteAsync(new CommandDefinition(
                $"select setval(@sequence::regclass, coalesce(max({TransferTable.Quote(column)}), @start), "
                    + $"max({TransferTable.Quote(column)}) is not null) from {Name(table)}",
                new { sequence, start }, cancellationToken: ct));
        }

        await Execute($"analyze {Name(table)}", ct);
    }

    private static string Name(TransferTable table) => TransferTable.Quote(table.Name);

    private static string Columns(TransferTable table) =>
        string.Join(", ", table.Columns.Select(column => TransferTable.Quote(column.Name)));

    private PostgresCopyIn CopyIn(TransferTable table, string into)
    {
        var copy = new PostgresCopyIn(_connection.BeginRawBinaryCopy($"copy {into} ({Columns(table)}) from stdin (format binary)"),
            Trailer);
        copy.Write(Header);
        return copy;
    }

    private Task Execute(string sql, CancellationToken ct) => _connection.ExecuteAsync(new CommandDefinition(sql, cancellationToken: ct));
}
