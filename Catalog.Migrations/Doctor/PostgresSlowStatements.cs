using System.Data.Common;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Doctor;

/// <summary>Reads the ten statements with the most total time from pg_stat_statements, if it is installed.</summary>
internal static class PostgresSlowStatements
{
    public static async Task Check(DbConnection connection, DoctorReport report, CancellationToken ct)
    {
        // The extension can be in any schema. Its settings exist only if its library is loaded. The list of libraries
        // itself is visible only to administrators.
        const string Find = """
            -- PostgresSlowStatements.Find
            select (select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                where e.extname = 'pg_stat_statements') as schema,
                   exists (select from pg_settings where name = 'pg_stat_statements.max') as loaded
            """;
        const string Load = "set `shared_preload_libraries = 'pg_stat_statements'` in postgresql.conf and restart the server";
        const string Create = "run `create extension pg_stat_statements` in this database as a superuser";

        var (schema, loaded) = await connection.QuerySingleAsync<(string? Schema, bool Loaded)>(
            new CommandDefinition(Find, commandTimeout: 10, cancellationToken: ct));
        if (schema is null || !loaded)
        {
            var advice = schema is null && !loaded ? $"To measure them, {Load}; then {Create}." : schema is null
                ? $"The library is loaded: {Create}." : $"The extension exists, but its library is not loaded: {Load}.";
            report.Add(loaded || schema is null ? "pg_stat_statements_missing" : "pg_stat_statements_not_loaded", Severity.Note,
                "The slowest statements are unknown: the server does not measure them.", advice);
            return;
        }

        var sql = $"""
            -- PostgresSlowStatements.Check
            select calls, mean_exec_time as mean_milliseconds, total_exec_time / 1000 as total_seconds, left(query, 4000) as query
            from {schema}.pg_stat_statements
            where dbid = (select oid from pg_database where datname = current_database())
            order by total_exec_time desc
            limit 10
            """;
        try
        {
            report.SlowestStatements =
            [
                .. (await connection.QueryAsync<SlowStatement>(new CommandDefinition(sql, commandTimeout: 10, cancellationToken: ct)))
                    .Select(statement => statement with { Query = QueryText.Shorten(statement.Query) }),
            ];
        }
        catch (PostgresException exception) when (exception.SqlState is "42703" or "42P01")
        {
            report.Add("pg_stat_statements_outdated", Severity.Note,
                "The slowest statements are unknown: the version of the extension is too old.",
                "Run `alter extension pg_stat_statements update` in this database as its owner.");
        }
    }
}
