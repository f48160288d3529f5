using System.Data.Common;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Doctor;

/// <summary>Reads the statements that took most of the server's time, where the server measures them.</summary>
internal static class PostgresStatistics
{
    public static async Task Look(DbConnection connection, DoctorReport examined, CancellationToken ct)
    {
        // The extension lies in whatever schema somebody made it in. Its settings are listed only where its library is loaded; the list
        // of libraries itself is shown to administrators only.
        const string Find = """
            -- PostgresStatistics.Find
            select (select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements') as schema,
                   exists (select from pg_settings where name = 'pg_stat_statements.max') as loaded
            """;
        const string Load = "in postgresql.conf write `shared_preload_libraries = 'pg_stat_statements'` and restart the server";
        const string Make = "as a superuser run `create extension pg_stat_statements` in this database";

        var (schema, loaded) = await connection.QuerySingleAsync<(string? Schema, bool Loaded)>(new CommandDefinition(Find, commandTimeout: 10, cancellationToken: ct));
        if (schema is null || !loaded)
        {
            var words = schema is null && !loaded ? $"To have them: {Load}, then {Make}." : schema is null ? $"The library is loaded; {Make}." : $"The extension is there and its library is not loaded: {Load}.";
            examined.Add(loaded || schema is null ? "pg_stat_statements_missing" : "pg_stat_statements_not_loaded", Severity.Note, "The slowest statements are not known: the server does not measure them.", words);
            return;
        }

        var sql = $"""
            -- PostgresStatistics.Look
            select calls, mean_exec_time as mean_milliseconds, total_exec_time / 1000 as total_seconds, left(query, 4000) as query
            from {schema}.pg_stat_statements
            where dbid = (select oid from pg_database where datname = current_database())
            order by total_exec_time desc
            limit 10
            """;
        try
        {
            examined.SlowestStatements =
            [
                .. (await connection.QueryAsync<SlowStatement>(new CommandDefinition(sql, commandTimeout: 10, cancellationToken: ct)))
                    .Select(statement => statement with { Query = QueryText.Beginning(statement.Query) }),
            ];
        }
        catch (PostgresException exception) when (exception.SqlState is "42703" or "42P01")
        {
            examined.Add("pg_stat_statements_outdated", Severity.Note, "The slowest statements are not known: the extension is of an old version.", "As its owner run `alter extension pg_stat_statements update` in this database.");
        }
    }
}
