using System.Data;
using System.Data.Common;
using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;
using NpgsqlTypes;

namespace Catalog.Data.Database.Postgres;

/// <param name="pool">The pool of request connections; null for connections that serve no requests.</param>
/// <param name="security">Sets the context of statements; null for connections without an organization.</param>
internal sealed class PostgresDialect(PostgresPool? pool = null, PostgresRowSecurity? security = null) : Dialect
{
    // The column types of rows. They are needed because a null parameter has no type.
    private static readonly Dictionary<Type, NpgsqlDbType> Types = new()
    {
        [typeof(string)] = NpgsqlDbType.Text,
        [typeof(Guid)] = NpgsqlDbType.Uuid,
        [typeof(byte[])] = NpgsqlDbType.Bytea,
        [typeof(int)] = NpgsqlDbType.Integer,
        [typeof(long)] = NpgsqlDbType.Bigint,
        [typeof(double)] = NpgsqlDbType.Double,
        [typeof(bool)] = NpgsqlDbType.Boolean,
        [typeof(DateTimeOffset)] = NpgsqlDbType.TimestampTz,
    };

    internal override ValueTask<ContextSql?> ContextSql(CancellationToken ct) => security?.ForOrganization(ct) ?? default;

    internal override ValueTask<ContextSql?> ContextSql(LookUp by, CancellationToken ct) => security?.For(by, ct) ?? default;

    internal override async Task<RowSecurityStatus?> Isolation(CancellationToken ct) => security is null ? null : await security.Check(ct);

    public override string IsAnyOf(string column, string parameter) => $"{column} = any({parameter})";

    // The server's statistics show how many rows meet the condition.
    public override string Selective(string condition) => condition;

    public override string ByIndex(string table, string where, string key, string parameter) =>
        $"unnest({parameter}) as asked (value) {JoinByIndex(table, where, key, "asked.value")}";

    public override string Keys(string table, string where, string key, string parameter) => $"unnest({parameter}) as {table} ({key})";

    // "offset 0" stops the planner from flattening the subquery, so it must use the index for each value.
    public override string JoinByIndex(string table, string where, string key, string value) =>
        $"cross join lateral (select * from {table} where {where} and {key} = {value} offset 0) as {table}";

    // The planner does not flatten a subquery that locks rows, so "offset 0" is not needed here.
    public override string LockByIndex(string table, string where, string key, string value) =>
        $"cross join lateral (select * from {table} where {where} and {key} = {value} for update) as {table}";

    public override string JoinFirst(string table, string where, string order, string take) =>
        $"cross join lateral (select * from {table} where {where} order by {order} limit {take}) as {table}";

    public override string HourOf(string column) => $"date_trunc('hour', {column}, 'UTC')";

    // The list is one array parameter. The limit keeps the duration of one statement acceptable.
    public override int ListLimit => 50_000;

    public override bool InsertsInExpressions => true;

    public override string ForUpdate => "for update";

    public override string ForUpdateSkipLocked => "for update skip locked";

    internal override async Task Send(DbConnection connection, DbTransaction? transaction, IReadOnlyList<Statement> statements,
        CancellationToken ct)
    {
        await using var batch = ((NpgsqlConnection)connection).CreateBatch();
        batch.Transaction = (NpgsqlTransaction?)transaction;
        var ownBlock = transaction is null && statements[0].ContextSql is { IsBlock: true };
        if (ownBlock)
        {
            batch.BatchCommands.Add(new("begin"));
        }

        foreach (var statement in statements)
        {
            foreach (var command in ContextCommands(statement))
            {
                batch.BatchCommands.Add(command);
            }

            batch.BatchCommands.Add(statement.Count == 1 ? SingleRowCommand(statement) : ArrayCommand(statement));
        }

        if (ownBlock)
        {
            batch.BatchCommands.Add(new("commit"));
        }

        // The driver skips results without rows.
        await using var reader = await batch.ExecuteReaderAsync(ct);
        foreach (var statement in statements)
        {
            if (statement.ContextSql is { ReturnsRow: true })
            {
                await reader.NextResultAsync(ct);
            }

            if (statement.ReturnsRows)
            {
                while (await reader.ReadAsync(ct))
                {
                    statement.AddResult(reader);
                }

                await reader.NextResultAsync(ct);
            }
        }

        // All results are read to the end, because an error can follow the rows. Without a transaction, the commit
        // comes last.
        while (await reader.NextResultAsync(ct))
        {
        }
    }

    private static IEnumerable<NpgsqlBatchCommand> ContextCommands(Statement statement) => statement.ContextSql switch
    {
        null => [],
        { IsBlock: true } block => block.Statements(statement.Organization).Select(sql => new NpgsqlBatchCommand(sql)),
        var single =>
        [
            new NpgsqlBatchCommand(single.Statements("").Single())
            {
                Parameters = { new NpgsqlParameter<string>(RowSecurityContext.Parameter, statement.Organization) }
            },
        ],
    };

    private static NpgsqlBatchCommand ArrayCommand(Statement statement)
    {
        var command = Command(statement, $"* from unnest({string.Join(", ", statement.Names.Select(name => '@' + name))})");
        for (var column = 0; column < statement.Names.Count; column++)
        {
            command.Parameters.AddWithValue(statement.Names[column], statement.Values(column));
        }

        return command;
    }

    // Sends a single row as plain parameters: for a single result, arrays cost a fifth of the server's CPU time
    // (docs/decisions, 0040).
    private static NpgsqlBatchCommand SingleRowCommand(Statement statement)
    {
        var command = Command(statement, string.Join(", ", statement.Names.Select(name => '@' + name)));
        for (var column = 0; column < statement.Names.Count; column++)
        {
            var values = statement.Values(column);
            var type = values.GetType().GetElementType()!;
            command.Parameters.Add(new(statement.Names[column], Types[Nullable.GetUnderlyingType(type) ?? type])
            {
                Value = values.GetValue(0) ?? DBNull.Value
            });
        }

        return command;
    }

    private static NpgsqlBatchCommand Command(Statement statement, string select) =>
        new(WithRows(statement, select)) { Parameters = { new NpgsqlParameter<string>("organization", statement.Organization) } };

    internal override void ResetAfterFailure(DbConnection connection, Exception failure)
    {
        if (failure is PostgresException { SqlState: "26000" or "42P05" })
        {
            pool?.StopPreparing();
        }
        else if (failure is PostgresException { SqlState: "25006" } && connection is NpgsqlConnection { State: ConnectionState.Open } stuck)
        {
            pool?.EndReadOnlySession(stuck);
        }

        // When automatic preparation of a statement fails, Npgsql still marks the statement as prepared and later
        // returns no columns (npgsql#6391). So all statements are unprepared.
        if (connection is NpgsqlConnection { State: ConnectionState.Open } open)
        {
            try
            {
                // The driver itself rolls back only when the connection returns to the pool.
                if (security?.UsesBlocks is true)
                {
                    using var rollback = new NpgsqlCommand("rollback", open) { CommandTimeout = 1 };
                    rollback.ExecuteNonQuery();
                }

                open.UnprepareAll();
            }
            catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
            {
                // The connection is broken, so the pool drops it.
            }
        }
    }

    internal override bool IsRetryable(Exception failure) => failure switch
    {
        // After this error the pool stops preparing statements, so a second attempt succeeds.
        PostgresException { SqlState: "26000" or "42P05" } => true,
        // A session that started in read-only mode stays read-only, even after the provider has ended that mode.
        PostgresException { SqlState: "25006" } => pool?.ClearThrottled() is true,
        // An administrator, an idle time-out or a restart has ended the session.
        PostgresException { SqlState: "57P01" or "57P02" or "57P05" or "25P03" } => ReplacePool(),
        PostgresException => false,
        NpgsqlException { InnerException: TimeoutException } => false,
        NpgsqlException { InnerException: SocketException or IOException } => ReplacePool(),
        _ => false,
    };

    // The other idle connections of the pool are probably lost too, so the pool is cleared.
    private bool ReplacePool()
    {
        pool?.ClearThrottled();
        return true;
    }

    public override Unavailability? Classify(Exception exception) => exception switch
    {
        // An error in a statement is never FATAL, because FATAL ends the session. So the server rejected the session
        // itself.
        PostgresException { InvariantSeverity: "FATAL", SqlState: var state } fatal when Classify(state) is null
            || (state == "42501" && fatal.Routine?.StartsWith("set_config", StringComparison.Ordinal) is true) =>
                Unavailability.SessionRefused,
        // When the role was dropped, the server reports an invalid value of the setting "role".
        PostgresException { SqlState: "22023", Routine: "call_string_check_hook" or "check_role" or "check_session_authorization" } =>
            Unavailability.NotPermitted,
        PostgresException { SqlState: var state } => Classify(state),
        NpgsqlException { InnerException: TimeoutException } or TimeoutException => Unavailability.TimedOut,
        NpgsqlException { InnerException: AuthenticationException } => Unavailability.TlsFailed,
        // "SSL connection requested. No SSL enabled connection from this host is configured" has no exception type of
        // its own.
        NpgsqlException { InnerException: null, SqlState: null, Message: var message } when message.Contains(
            "SSL", StringComparison.Ordinal) => Unavailability.TlsFailed,
        NpgsqlException { InnerException: SocketException or IOException } => Unavailability.Unreachable,
        NpgsqlException { IsTransient: true } => Unavailability.Unreachable,
        // Some connection errors of the driver have neither a SQLSTATE nor one of the inner exceptions above.
        NpgsqlException { SqlState: null } => Unavailability.Unreachable,
        SocketException or IOException => Unavailability.Unreachable,
        _ => null,
    };

    // The codes are in the PostgreSQL manual, appendix A. PgBouncer reports its own errors as 08P01. The server reports
    // 25006 when it is read-only, for example after a primary became a standby.
    internal static Unavailability? Classify(string state) => state switch
    {
        "28000" or "28P01" => Unavailability.AuthenticationFailed,
        "3D000" => Unavailability.DatabaseMissing,
        "57014" or "55P03" or "25P03" => Unavailability.TimedOut,
        "42501" => Unavailability.NotPermitted,
        "25006" => Unavailability.ReadOnly,
        "42P01" or "42703" or "3F000" => Unavailability.SchemaBehind,
        "40001" or "40P01" => Unavailability.Contended,
        "26000" or "42P05" => Unavailability.PoolerInBetween,
        _ => state[..2] switch
        {
            "53" => Unavailability.OutOfResources,
            "08" or "57" or "58" => Unavailability.Unreachable,
            _ => null,
        },
    };
}
