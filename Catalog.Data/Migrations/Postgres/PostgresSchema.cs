using System.Data.Common;
using Dapper;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>Checks the schema of the Catalog's tables: whether it exists, and whether the role can create tables in it.</summary>
internal static class PostgresSchema
{
    /// <summary>The statement that creates the schema; null when it exists.</summary>
    /// <exception cref="MigrationException">The role has no right to create the schema, or tables in it.</exception>
    public static async Task<string?> CreationSql(DbConnection connection, string schema, CancellationToken ct)
    {
        // Since Postgres 15, only the owner of the database can create tables in schema public.
        const string Sql = """
            -- PostgresSchema.CreationSql
            select current_schema() is not null as exists, coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_create,
                   has_database_privilege(current_database(), 'create') as may_create_schema, quote_ident(current_user) as login, quote_ident(current_database()) as database
            """;

        var (exists, mayCreate, mayCreateSchema, login, database) =
            await connection.QuerySingleAsync<(bool, bool, bool, string, string)>(new CommandDefinition(Sql, cancellationToken: ct));
        return exists switch
        {
            true when mayCreate => null,
            true => throw new MigrationException(MigrationFault.NotPermitted,
                $"{login} has no right to create tables in schema {schema}. As an administrator, run `grant create on schema "
                    + $"{schema} to {login};` "
                + $"or `alter database {database} owner to {login};`; or set DATAXPIPE_MIGRATIONS_DB to an address of the owner of "
                + "the tables."),
            false when mayCreateSchema => $"create schema if not exists \"{schema}\"",
            false => throw new MigrationException(MigrationFault.NotPermitted,
                $"The schema {schema} does not exist, and {login} has no right to create it. As an administrator, run `create schema "
                    + $"{schema} authorization {login};`; "
                + "or set DATAXPIPE_MIGRATIONS_DB to an address of the owner of the tables."),
        };
    }
}
