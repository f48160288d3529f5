using System.Data.Common;
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

    // One parameter per value. Some SQLite builds allow only 999, and long SQL text is parsed each time.
    public override int ListLimit => 900;

    // Not needed: SQLite has a single writer.
    public override bool InsertsInExpressions => false;

    public override string ForUpdate => "";

    public override string ForUpdateSkipLocked => "";

    internal override Task Send(DbConnection connection, DbTransaction? transaction, IReadOnlyList<Statement> statements,
        CancellationToken ct)
    {
        using var own = transaction is null ? connection.BeginTransaction() : null;
        foreach (var statement in statements)
        {
            Run((SqliteConnection)connection, (SqliteTransaction?)(transaction ?? own), statement, ct);
        }

        own?.Commit();
        return Task.CompletedTask;
    }

    private static void Run(SqliteConnection connection, SqliteTransaction? transaction, Statement statement, CancellationToken ct)
    {
        using var command = connection.CreateCommand();
        command.CommandText = WithRows(statement, string.Join(", ", statement.Names.Select(name => '@' + name)));
        command.Transaction = transaction;
        command.Parameters.AddWithValue("@organization", statement.Organization);
        var parameters = statement.Names.Select(name => command.Parameters.Add(new SqliteParameter { ParameterName = '@' + name }))
            .ToArray();
        command.Prepare();
        for (var row = 0; row < statement.Count; row++)
        {
            ct.ThrowIfCancellationRequested();
            for (var i = 0; i < parameters.Length; i++)
            {
                parameters[i].Value = SqliteValue.From(statement.Value(row, i));
            }

            using var reader = command.ExecuteReader();
            while (reader.FieldCount > 0 && reader.Read())
            {
                statement.AddResult(reader);
            }
        }
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
