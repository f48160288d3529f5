using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Database.Sqlite;

internal sealed class SqliteDialect : Dialect
{
    // Dapper expands the parameter into (@ids1, @ids2, ...) on engines without arrays.
    public override string IsAnyOf(string column, string parameter) => $"{column} in {parameter}";

    public override string ByIndex(string table, string where, string key, string parameter) =>
        $"(select * from {table} where {where} and {IsAnyOf(key, parameter)}) as {table}";

    public override string JoinByIndex(string table, string where, string key, string value) =>
        $"join (select * from {table} where {where}) as {table} on {table}.{key} = {value}";

    // A parameter for each value; a library may be built with as few as 999, and long texts of SQL are parsed each time.
    public override int ListLimit => 900;

    public override string From<T>(Rows<T> rows) =>
        $"(select {string.Join(", ", rows.Columns.Select(column => $"@{column.Name} as {column.Name}"))}) as rows";

    internal override Task<List<TResult>> Run<T, TResult>(
        Session session, string? before, string sql, string organization, Rows<T> rows, IReadOnlyList<T> items, CancellationToken ct)
    {
        using var command = (SqliteCommand)session.Connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = (SqliteTransaction?)session.Transaction;
        command.Parameters.AddWithValue("@organization", organization);
        var parameters = rows.Columns.Select(column => command.Parameters.Add(new SqliteParameter { ParameterName = '@' + column.Name })).ToArray();
        command.Prepare();
        var results = new List<TResult>(items.Count);
        Func<DbDataReader, object>? parse = null;
        foreach (var item in items)
        {
            ct.ThrowIfCancellationRequested();
            for (var i = 0; i < parameters.Length; i++)
            {
                parameters[i].Value = SqliteValue.From(rows.Columns[i].Value(item));
            }

            using var reader = command.ExecuteReader();
            while (reader.FieldCount > 0 && reader.Read())
            {
                parse ??= reader.GetRowParser(typeof(TResult));
                results.Add((TResult)parse(reader));
            }
        }

        return Task.FromResult(results);
    }

    // SQLite's result codes (sqlite.org/rescode.html).
    public override Unavailability? WhyUnavailable(Exception exception) => exception switch
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
