using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Dapper;

namespace Catalog.Data.Migrations.Postgres;

internal sealed class PostgresReadWriteCheck(PostgresSession session) : ReadWriteCheck
{
    internal override async Task Run(DbConnection connection, ContextSql? contextSql, CancellationToken ct)
    {
        // A standby or read-only session rejects this write, although it matches no row.
        const string Write = """
            -- PostgresReadWriteCheck.Run
            update runs set id = id where false
            """;
        const string Missing = $"""
            -- PostgresReadWriteCheck.Run rights
            select ours.name
            from ({PostgresGrants.TablesQuery}) ours
            where exists (select from unnest(ours.needed) as right_needed where not has_table_privilege(ours.oid, right_needed))
            order by 1
            """;

        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(new CommandDefinition(
            string.Join(";\n", contextSql?.Statements("default") ?? [$"select {session.ForTransaction}@{RowSecurityContext.Parameter}::text"]),
            new DynamicParameters(new Dictionary<string, object> { [RowSecurityContext.Parameter] = "default" }),
            transaction, cancellationToken: ct));
        await connection.ExecuteAsync(new CommandDefinition(Write, transaction: transaction, cancellationToken: ct));
        var missing = (await connection.QueryAsync<string>(new CommandDefinition(Missing, transaction: transaction, cancellationToken: ct)))
            .AsList();
        if (missing.Count > 0)
        {
            throw new DatabaseUnavailableException(
                Unavailability.NotPermitted, new InvalidOperationException($"Missing rights on {string.Join(", ", missing)}."));
        }
    }
}
