using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Data.Migrations.Postgres;

namespace Catalog.Migrations.Preview;

internal sealed class PostgresPreview(PostgresSession session) : PreviewDialect
{
    internal override string Now => "now() at time zone 'UTC'";

    internal override string Instant => "now()";

    internal override string Header(MigrationLimits limits) => $"""
        -- Run with: psql -X -v ON_ERROR_STOP=1 -f FILE
        set search_path = {session.SearchPath};
        set lock_timeout = '{limits.LockTimeout.TotalMilliseconds:0}ms';
        set statement_timeout = '{limits.StatementTimeout.TotalMilliseconds:0}ms';
        set client_min_messages = warning;
        {(session.Schema == DatabaseSettings.DefaultSchema ? "" : $"do $$ begin if to_regnamespace('{session.SearchPath}') is null then create schema {session.SearchPath}; end if; end $$;\n")}
        """;

    internal override string Guard(string file, string? present, string? absent) => $"""
        do $$ begin
            if not pg_try_advisory_xact_lock({PostgresAdvisoryLock.Migrator.Key}) then
                raise exception 'another migrator is running: run this again when it has finished';
            end if;
            if {(present is null ? "false" : $"not exists (select from schemaversions where scriptname = '{present}')")} or {(absent is null ? "false" : $"exists (select from schemaversions where scriptname = '{absent}')")} then
                raise exception 'the database is not at the revision that {file} starts from: nothing was applied';
            end if;
        end $$;

        """;
}
