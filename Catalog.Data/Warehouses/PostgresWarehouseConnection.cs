using System.Data;
using System.Data.Common;
using Npgsql;

namespace Catalog.Data.Warehouses;

/// <summary>A connection to a Postgres warehouse in a read-only transaction.</summary>
internal sealed class PostgresWarehouseConnection(NpgsqlDataSource source, NpgsqlConnection connection, LimitedRelay relay)
    : WarehouseConnection(connection, relay)
{
    /// <summary>
    /// Starts the transaction and sets its limits with a query. After this first query of the transaction, Postgres no
    /// longer allows the transaction to become writable.
    /// </summary>
    public static async Task Begin(NpgsqlConnection connection, WarehouseLimits limits, CancellationToken ct)
    {
        var milliseconds = (long)limits.Timeout.TotalMilliseconds;
        (string Name, string Value)[] settings =
        [
            ("statement_timeout", $"{milliseconds}"),
            ("lock_timeout", $"{Math.Min(milliseconds, 5000)}"),
            // The server ends the transaction if this process does not.
            ("idle_in_transaction_session_timeout", $"{milliseconds + 60_000}"),
            // From Postgres 14: the server ends a statement soon after its connection has ended.
            ("client_connection_check_interval", "2000"),
            ("work_mem", "64MB"),
            ("temp_file_limit", "10GB"),
        ];
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("begin transaction isolation level repeatable read read only"),
                // Leaves out settings that this server does not have, or that this user is not allowed to set.
                new("""
                    select pg_catalog.set_config(s.name, v.value, true)
                    from pg_catalog.pg_settings s join unnest($1::text[], $2::text[]) v (name, value) on s.name = v.name
                    where s.context = 'user' or s.context = 'superuser' and pg_catalog.current_setting('is_superuser') = 'on'
                    """)
                {
                    Parameters =
                    {
                        new() { Value = settings.Select(setting => setting.Name).ToArray() },
                        new() { Value = settings.Select(setting => setting.Value).ToArray() },
                    },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <inheritdoc />
    public override async Task<DbDataReader> Execute(string sql, CancellationToken ct)
    {
        // An NpgsqlBatch uses the extended protocol, in which the server rejects a text with more than one statement.
        // An NpgsqlCommand would split the text.
        await using var batch = new NpgsqlBatch((NpgsqlConnection)Connection) { BatchCommands = { new(sql) } };
        return await batch.ExecuteReaderAsync(CommandBehavior.SequentialAccess, ct);
    }

    /// <inheritdoc />
    // Without a buffer, the driver returns the length that the server has announced.
    public override long? SizeOf(DbDataReader reader, int column) => reader.GetBytes(column, 0, null, 0, 0);

    /// <inheritdoc />
    // GetValue reads only numbers of up to 28 digits.
    public override object ReadValue(DbDataReader reader, int column)
    {
        if (!reader.GetDataTypeName(column).StartsWith("numeric", StringComparison.Ordinal) || reader.GetDataTypeName(column).EndsWith(']'))
        {
            return base.ReadValue(reader, column);
        }

        var bytes = new byte[reader.GetBytes(column, 0, null, 0, 0)];
        reader.GetBytes(column, 0, bytes, 0, bytes.Length);
        return PostgresNumeric.Read(bytes);
    }

    /// <inheritdoc />
    public override async Task Abort(DbDataReader? reader)
    {
        if (reader is null or { IsClosed: true })
        {
            return;
        }

        // Cancelling a read breaks the connection, as intended. Closing the reader would read all remaining rows.
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        try
        {
            while (await reader.ReadAsync(soon.Token))
            {
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or NpgsqlException or InvalidOperationException)
        {
        }
    }

    /// <inheritdoc />
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await source.DisposeAsync();
    }

    /// <inheritdoc />
    public override WarehouseException Translate(Exception exception) => exception switch
    {
        PostgresException { SqlState: "57014" or "55P03" or "25P03" } => WarehouseMessages.TimedOut(),
        PostgresException { SqlState: "42P01" or "3F000" } => WarehouseMessages.TableMissing(),
        PostgresException { SqlState: "42703" } => WarehouseMessages.ColumnMissing(),
        PostgresException { SqlState: "42501" } => WarehouseMessages.PermissionDenied(),
        PostgresException { SqlState: "25006" } => WarehouseMessages.NoRows(),
        // The server reports that the text has several statements.
        PostgresException { SqlState: "42601", Routine: "exec_parse_message" } => WarehouseMessages.OneStatement(),
        PostgresException { SqlState: ['5', '7', ..] or ['0', '8', ..] } => WarehouseMessages.Unreachable(),
        PostgresException { SqlState: var state } => WarehouseMessages.Sql(state),
        NpgsqlException { InnerException: TimeoutException } => WarehouseMessages.TimedOut(),
        InvalidCastException or OverflowException or NotSupportedException or FormatException => WarehouseMessages.Unreadable(),
        _ => WarehouseMessages.Unreachable(),
    };
}
