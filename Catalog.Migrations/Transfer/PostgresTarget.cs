using System.Buffers.Binary;
using System.Data.Common;
using Catalog.Data.Migrations;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Transfer;

/// <summary>The tables that rows are moved into: what the catalog says of them, and rows in COPY's binary format in and out.</summary>
internal sealed class PostgresTarget(DbConnection connection)
{
    private static readonly byte[] Header = [.. "PGCOPY\n"u8, 0xff, .. "\r\n\0"u8, 0, 0, 0, 0, 0, 0, 0, 0];
    private static readonly byte[] Trailer = [0xff, 0xff];
    private readonly NpgsqlConnection _connection = (NpgsqlConnection)connection;
    private string? _trial;

    /// <summary>Sets what a transfer needs beyond a migration: a statement that row-level security would cut short fails instead, and keys are read in order without a sort.</summary>
    public Task Begin(CancellationToken ct) => Execute(
        "select set_config('row_security', 'off', false), set_config('enable_sort', 'off', false), set_config('enable_seqscan', 'off', false), set_config('max_parallel_workers_per_gather', '0', false)", ct);

    /// <summary>The tables as the catalog has them, without the migrator's own, those of extensions and partitions of others.</summary>
    /// <exception cref="MigrationException">A column's type is one that rows cannot be moved into.</exception>
    public async Task<IReadOnlyList<TransferTable>> Tables(CancellationToken ct)
    {
        const string Ours = """
            with ours as (
                select c.oid, c.relname
                from pg_class c
                where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname not in ('schemaversions', 'schema_history')
                  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
            )
            """;
        const string Columns = $"""
            -- PostgresTarget.Tables columns
            {Ours}
            select t.relname as table_name, a.attname as name, y.typname as type, a.atttypmod as modifier, not a.attnotnull as nullable,
                   coalesce(array_position(k.conkey, a.attnum), 0) as place, coalesce(l.collname in ('C', 'POSIX'), true) as bytewise_order
            from ours t
            join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            join pg_type y on y.oid = a.atttypid
            left join pg_collation l on l.oid = a.attcollation
            left join pg_constraint k on k.conrelid = t.oid and k.contype = 'p'
            order by t.relname, a.attnum
            """;
        const string Groups = $"""
            -- PostgresTarget.Tables groups
            {Ours}
            select t.relname as table_name, 'check' as kind, k.conname as name,
                   array(select a.attname::text from unnest(k.conkey) n join pg_attribute a on a.attrelid = t.oid and a.attnum = n) as columns
            from ours t
            join pg_constraint k on k.conrelid = t.oid and k.contype = 'c'
            union all
            select t.relname, 'index', c.relname,
                   array(select a.attname::text from unnest(i.indkey::int2[]) n join pg_attribute a on a.attrelid = t.oid and a.attnum = n)
            from ours t
            join pg_index i on i.indrelid = t.oid
            join pg_class c on c.oid = i.indexrelid
            union all
            select t.relname, 'reference', k.conname, array[k.confrelid::regclass::text]
            from ours t
            join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
            """;

        var columns = (await Query<ColumnRow>(Columns, ct)).ToLookup(row => row.TableName, StringComparer.Ordinal);
        var groups = (await Query<GroupRow>(Groups, ct)).ToLookup(row => row.TableName, StringComparer.Ordinal);
        return
        [
            .. columns.Select(table =>
            {
                List<ColumnRow> rows = [.. table];
                int[] Places(IEnumerable<string> names) => [.. names.Select(name => rows.FindIndex(row => row.Name == name)).Where(place => place >= 0)];
                return new TransferTable(
                    table.Key,
                    [.. rows.Select(Column)],
                    [.. rows.Index().Where(row => row.Item.Place > 0).OrderBy(row => row.Item.Place).Select(row => row.Index)],
                    [.. groups[table.Key].Where(group => group.Kind == "check").Select(group => (group.Name, (IReadOnlyList<int>)Places(group.Columns)))],
                    [.. groups[table.Key].Where(group => group.Kind == "index").Select(group => (group.Name, (IReadOnlyList<int>)Places(group.Columns)))],
                    [.. groups[table.Key].Where(group => group.Kind == "reference").SelectMany(group => group.Columns).Distinct(StringComparer.Ordinal)]);
            }),
        ];
    }

    public async Task<long> Count(TransferTable table, CancellationToken ct) =>
        await _connection.ExecuteScalarAsync<long>(new CommandDefinition($"select count(*) from {Name(table)}", cancellationToken: ct));

    /// <summary>Sets whether a commit waits for the disk. While rows are loaded it need not: what a crash of the server takes is a tail, which the next transfer loads again.</summary>
    public Task WaitForDisk(bool wait, CancellationToken ct) => Execute($"select set_config('synchronous_commit', '{(wait ? "on" : "off")}', false)", ct);

    /// <summary>Loads rows in one transaction of its own: all of them, or none when it is not <see cref="PostgresCopyIn.Complete"/>.</summary>
    public PostgresCopyIn CopyIn(TransferTable table) => CopyIn(table, Name(table));

    /// <summary>The rows of a table in the order of its key.</summary>
    public PostgresCopyOut CopyOut(TransferTable table)
    {
        var order = table.Key.Select(place => table.Columns[place]).Select(column => TransferTable.Quote(column.Name) + (column.BytewiseOrder ? "" : " collate \"C\""));
        var stream = _connection.BeginRawBinaryCopy($"copy (select {Columns(table)} from {Name(table)} order by {string.Join(", ", order)}) to stdout (format binary)");
        return new(stream, Header.Length);
    }

    /// <summary>Makes an empty table of this session with a table's rules and indexes, for <see cref="Try"/>.</summary>
    public async Task PrepareTrials(TransferTable table, CancellationToken ct)
    {
        await EndTrials(ct);
        await Execute($"create temp table transfer_trial (like {Name(table)} including all)", ct);
        _trial = "pg_temp.transfer_trial";
    }

    public async Task EndTrials(CancellationToken ct)
    {
        if (_trial is not null)
        {
            await Execute($"drop table {_trial}", ct);
            _trial = null;
        }
    }

    /// <summary>Lets the server itself judge one row, in a table of this session, and undoes it.</summary>
    /// <returns>Null, or why it refuses the row.</returns>
    public async Task<(string? Constraint, string Reason)?> Try(TransferTable table, ReadOnlyMemory<byte> row, CancellationToken ct)
    {
        await using var transaction = await _connection.BeginTransactionAsync(ct);
        try
        {
            using var copy = CopyIn(table, _trial!);
            copy.Write(row.Span);
            copy.Complete();
            return null;
        }
        catch (PostgresException refused) when (refused.SqlState is { } state && (state[..2] is "22" or "23" || state == "54000"))
        {
            return refused.SqlState == "54000" ? (null, "is too long for the target's index")
                : (refused.ConstraintName, $"is refused by the target: {(refused.ConstraintName is { } name ? $"constraint {name}" : refused.MessageText)}");
        }
    }

    /// <summary>Sets the sequences behind a table's columns to go on after the greatest value, also where there is none, and renews the planner's statistics.</summary>
    public async Task Finish(TransferTable table, CancellationToken ct)
    {
        const string Sequences = """
            -- PostgresTarget.Finish
            select s.oid::regclass::text as sequence, a.attname as column, q.seqstart as start
            from pg_depend d
            join pg_class s on s.oid = d.objid and s.relkind = 'S'
            join pg_sequence q on q.seqrelid = s.oid
            join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
            where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjid = @name::regclass
            """;

        foreach (var (sequence, column, start) in await _connection.QueryAsync<(string, string, long)>(new CommandDefinition(Sequences, new { name = Name(table) }, cancellationToken: ct)))
        {
            await _connection.ExecuteAsync(new CommandDefinition(
                $"select setval(@sequence::regclass, coalesce(max({TransferTable.Quote(column)}), @start), max({TransferTable.Quote(column)}) is not null) from {Name(table)}",
                new { sequence, start }, cancellationToken: ct));
        }

        await Execute($"analyze {Name(table)}", ct);
    }

    private static string Name(TransferTable table) => TransferTable.Quote(table.Name);

    private static string Columns(TransferTable table) => string.Join(", ", table.Columns.Select(column => TransferTable.Quote(column.Name)));

    private PostgresCopyIn CopyIn(TransferTable table, string into)
    {
        var copy = new PostgresCopyIn(_connection.BeginRawBinaryCopy($"copy {into} ({Columns(table)}) from stdin (format binary)"), Trailer);
        copy.Write(Header);
        return copy;
    }

    private static TransferColumn Column(ColumnRow row) => new(row.Name, row.Type switch
    {
        "text" or "varchar" => ColumnKind.Text,
        "bool" => ColumnKind.Boolean,
        "int2" => ColumnKind.Int16,
        "int4" => ColumnKind.Int32,
        "int8" => ColumnKind.Int64,
        "float8" => ColumnKind.Double,
        "timestamptz" => ColumnKind.Instant,
        "uuid" => ColumnKind.Uuid,
        "bytea" => ColumnKind.Bytes,
        var type => throw new MigrationException(MigrationFault.NotMovable, $"Column {row.TableName}.{row.Name} of the target is of type {type}, which this build cannot move rows into."),
    }, row.Nullable, row is { Type: "varchar", Modifier: > 4 } ? row.Modifier - 4 : null, row.Place > 0, row.BytewiseOrder);

    private Task Execute(string sql, CancellationToken ct) => _connection.ExecuteAsync(new CommandDefinition(sql, cancellationToken: ct));

    private Task<IEnumerable<T>> Query<T>(string sql, CancellationToken ct) => _connection.QueryAsync<T>(new CommandDefinition(sql, cancellationToken: ct));

    private sealed record ColumnRow
    {
        public required string TableName { get; init; }

        public required string Name { get; init; }

        public required string Type { get; init; }

        public required int Modifier { get; init; }

        public required bool Nullable { get; init; }

        public required int Place { get; init; }

        public required bool BytewiseOrder { get; init; }
    }

    private sealed record GroupRow
    {
        public required string TableName { get; init; }

        public required string Kind { get; init; }

        public required string Name { get; init; }

        public required string[] Columns { get; init; }
    }
}

/// <summary>Rows on their way in, in one statement. Unless it is completed, the server forgets them.</summary>
internal sealed class PostgresCopyIn(NpgsqlRawCopyStream stream, byte[] trailer) : IDisposable
{
    private bool _ended;

    /// <summary>Sends whole rows.</summary>
    public void Write(ReadOnlySpan<byte> rows) => stream.Write(rows);

    /// <summary>Ends the statement and waits until the server has committed it.</summary>
    public void Complete()
    {
        stream.Write(trailer);
        _ended = true;
        stream.Dispose();
    }

    public void Dispose()
    {
        if (_ended)
        {
            return;
        }

        // Left to itself the stream would end the statement as if all had been sent.
        _ended = true;
        try
        {
            stream.Cancel();
        }
        catch (NpgsqlException)
        {
            // The server has refused the rows or gone away, which undoes them too; why is on its way up already.
        }
    }
}

/// <summary>Rows on their way out, one after another.</summary>
internal sealed class PostgresCopyOut : IDisposable
{
    private readonly NpgsqlRawCopyStream _stream;
    private byte[] _bytes = new byte[256 * 1024];
    private int _start;
    private int _end;
    private int _length;
    private bool _done;

    public PostgresCopyOut(NpgsqlRawCopyStream stream, int header)
    {
        _stream = stream;
        Need(header);
        _start = header;
    }

    /// <summary>The current row as it came, valid until the next is read.</summary>
    public ReadOnlySpan<byte> Row => _bytes.AsSpan(_start, _length);

    /// <returns>False after the last row.</returns>
    public bool Read()
    {
        _start += _length;
        _length = 0;
        Need(2);
        var fields = BinaryPrimitives.ReadInt16BigEndian(_bytes.AsSpan(_start));
        if (fields < 0)
        {
            _done = true;
            return false;
        }

        var length = 2;
        for (var field = 0; field < fields; field++)
        {
            Need(length + 4);
            length += 4 + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(_bytes.AsSpan(_start + length)));
        }

        Need(length);
        _length = length;
        return true;
    }

    public void Dispose()
    {
        try
        {
            // Read to its end the statement is over; before that it has to be stopped.
            if (!_done || _stream.Read(_bytes, 0, _bytes.Length) > 0)
            {
                _stream.Cancel();
            }
        }
        finally
        {
            _stream.Dispose();
        }
    }

    // So that this many bytes from the current row's beginning are here.
    private void Need(int count)
    {
        if (_end - _start >= count)
        {
            return;
        }

        if (_start + count > _bytes.Length)
        {
            var to = count > _bytes.Length ? new byte[Math.Max(count, (int)Math.Min(2L * _bytes.Length, Array.MaxLength))] : _bytes;
            _bytes.AsSpan(_start, _end - _start).CopyTo(to);
            (_bytes, _end, _start) = (to, _end - _start, 0);
        }

        while (_end - _start < count)
        {
            var read = _stream.Read(_bytes, _end, _bytes.Length - _end);
            _end += read > 0 ? read : throw new EndOfStreamException("The server's rows ended in the middle of one.");
        }
    }
}
