using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Database.Sqlite;

internal sealed class SqliteDialect : Dialect
{
    // Dapper expands the parameter into (@ids1, @ids2, ...) on engines without arrays.
    public override string IsAnyOf(string column, string parameter) => $"{column} in {parameter}";

    // Without statistics SQLite expects that two bounds of a time match fewer rows than an equal id. "unlikely" tells
    // it that this condition matches few rows.
    public override string Selective(string condition) => $"unlikely({condition})";

    public override string ByIndex(string table, string where, string key, string parameter) =>
        $"(select * from {table} where {where} and {IsAnyOf(key, parameter)}) as {table}";

    // Dapper expands a list parameter only after "in". So SQLite reads the values from the table.
    public override string Keys(string table, string where, string key, string parameter) => ByIndex(table, where, key, parameter);

    // "cross" keeps the order of the join: otherwise SQLite could read the whole table, and for each of its rows all
    // rows of the tables before the join.
    public override string JoinByIndex(string table, string where, string key, string value) =>
        $"cross join (select * from {table} where {where}) as {table} on {table}.{key} = {value}";

    public override string LockByIndex(string table, string where, string key, string value) => JoinByIndex(table, where, key, value);

    // SQLite has no lateral join; this subquery takes its place. In it, the table's name means the rows of the
    // subquery, not those of the outer query. "cross join" keeps SQLite from joining the tables in another order.
    public override string JoinFirst(string table, string where, string order, string take) => $"""
        cross join {table} on {table}.rowid in (select {table}.rowid from {table} where {where} order by {order} limit {take})
        """;

    public override string HourOf(string column) => $"substr({column}, 1, 13) || ':00:00.000000Z'";

    // Each value is a parameter of its own. Some SQLite builds allow only 999 parameters, and a long SQL text takes
    // time to parse.
    public override int ListLimit => 900;

    // SQLite cannot insert in a common table expression.
    public override bool InsertsInExpressions => false;

    // No row locks are needed: SQLite has a single writer.
    public override string ForUpdate => "";

    public override string ForUpdateSkipLocked => "";

    internal override Task Send(DbConnection connection, DbTransaction? transaction, IReadOnlyList<Statement> statements,
        CancellationToken ct)
    {
        using var own = transaction is null ? connection.BeginTransaction() : null;
        foreach (var statement in statements)
        {
            Run((SqliteSourceConnection)connection, (SqliteTransaction?)(transaction ?? own), statement, ct);
        }

        own?.Commit();
        return Task.CompletedTask;
    }

    private static void Run(SqliteSourceConnection connection, SqliteTransaction? transaction, Statement statement, CancellationToken ct)
    {
        var command = connection.Prepared(statement.Sql, () => Prepare(connection, statement));
        command.Transaction = transaction;
        var parameters = command.Parameters;
        parameters[0].Value = statement.Organization;
        for (var row = 0; row < statement.Count; row++)
        {
            ct.ThrowIfCancellationRequested();
            for (var i = 1; i < parameters.Count; i++)
            {
                parameters[i].Value = SqliteValue.From(statement.Value(row, i - 1));
            }

            using var reader = command.ExecuteReader();
            while (reader.FieldCount > 0 && reader.Read())
            {
                statement.AddResult(reader);
            }
        }
    }

    private static SqliteCommand Prepare(SqliteConnection connection, Statement statement)
    {
        var command = connection.CreateCommand();
        command.CommandText = WithRows(statement, string.Join(", ", statement.Names.Select(name => '@' + name)));
        command.Parameters.AddWithValue("@organization", "");
        foreach (var name in statement.Names)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = '@' + name });
        }

        command.Prepare();
        return command;
    }

    // Result codes: sqlite.org/rescode.html.
    public override Unavailability? Classify(Exception exception) => exception switch
    {
        SqliteException { SqliteErrorCode: 5 or 6 or 9 } or TimeoutException => Unavailability.TimedOut,
        SqliteException { SqliteErrorCode: 8 or 3 } => Unavailability.ReadOnly,
        SqliteException { SqliteErrorCode: 13 or 7 } => Unavailability.OutOfResources,
        SqliteException { SqliteErrorCode: 10 or 14 } => Unavailability.FileUnusable,
        SqliteException { SqliteErrorCode: 11 or 26 } => Unavailability.NotADatabase,
        SqliteException { SqliteErrorCode: 1, Message: var message } when message.Contains("no such table", StringComparison.Ordinal)
            || message.Contains("no such column", StringComparison.Ordinal) => Unavailability.SchemaBehind,
        _ => null,
    };
}
