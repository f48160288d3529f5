using System.Data.Common;
using Dapper;

namespace Catalog.Data.Migrations.Postgres;

/// <summary>The schema that holds the Catalog's tables: whether it is there, and whether this role may create in it.</summary>
internal static class PostgresSchema
{
    /// <summary>The statement that makes the schema; null where it is there.</summary>
    /// <exception cref="MigrationException">This role may not make it, or not create in it.</exception>
    public static async Task<string?> Missing(DbConnection connection, string schema, CancellationToken ct)
    {
        // Postgres 15 gives the right to create in schema public to the database's owner only.
        const string Sql = """
            -- PostgresSchema.Missing
            select current_schema() is not null as there, coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_create,
                   has_database_privilege(current_database(), 'create') as may_create_schema, quote_ident(current_user) as login, quote_ident(current_database()) as database
            """;

        var (there, mayCreate, mayCreateSchema, login, database) =
            await connection.QuerySingleAsync<(bool, bool, bool, string, string)>(new CommandDefinition(Sql, cancellationToken: ct));
        return there switch
        {
            true when mayCreate => null,
            true => throw new MigrationException(MigrationFault.NotPermitted,
                $"{login} may not create tables in schema {schema}. As an administrator: `grant create on schema {schema} to {login};` "
                + $"or `alter database {database} owner to {login};`; or set DATAXPIPE_MIGRATIONS_DB to an address of the tables' owner."),
            false when mayCreateSchema => $"create schema if not exists \"{schema}\"",
            false => throw new MigrationException(MigrationFault.NotPermitted,
                $"There is no schema {schema}, and {login} may not make one. As an administrator: `create schema {schema} authorization {login};`; "
                + "or set DATAXPIPE_MIGRATIONS_DB to an address of the tables' owner."),
        };
    }
}
