using System.Data.Common;
using Catalog.Data.Database.Examination;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Database.Sqlite;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>Opens what <see cref="DatabaseSettings"/> names: the one place that chooses an engine.</summary>
public static class Databases
{
    /// <summary>The database that requests use: on Postgres the pool, on SQLite one writer beside many readers.</summary>
    /// <param name="settings">Where it is.</param>
    /// <param name="echo">Told of every statement and how long it took; null: nobody is.</param>
    /// <param name="warn">Told what an operator should know, such as a pooler that was found; null: nobody is.</param>
    public static CatalogDatabase Open(DatabaseSettings settings, Action<string, TimeSpan>? echo = null, Action<string>? warn = null)
    {
        DapperTypes.Register();
        if (settings.Postgres is { } postgres)
        {
            if (settings.LeftOut is { } leftOut)
            {
                warn?.Invoke(leftOut);
            }

            var pool = new PostgresPool(postgres, new(settings.Schema), settings.BehindPooler, warn);
            return new(pool, pool, new PostgresDialect(pool, new(pool, settings.AppRole, settings.RequireRowSecurity)), echo);
        }

        var (reads, writes) = SqliteSource.Open(settings.SqlitePath!);
        return new(reads, writes, new SqliteDialect(), echo);
    }

    /// <summary>The connections that change the schema and look at it: no time limit on a statement, patience with a busy server, and no pool that would keep a lock alive.</summary>
    public static MigrationDatabase OpenForMigrations(DatabaseSettings settings)
    {
        DapperTypes.Register();
        if (settings.Postgres is { } postgres)
        {
            var session = new PostgresSession(settings.Schema);
            var source = Unpooled(postgres, session, "catalog-migrations", statementSeconds: 0, Math.Max(15, postgres.Timeout));
            return new(settings, source, source, new PostgresSchemaDialect(session), new PostgresDialect()) { Examiner = new PostgresExaminer(session) };
        }

        return new(settings, SqliteSource.Open(settings.SqlitePath!).Writes, SqliteSource.Look(settings.SqlitePath!), new SqliteSchemaDialect(), new SqliteDialect()) { Examiner = new SqliteExaminer(settings.SqlitePath!) };
    }

    /// <summary>The connection of the readiness probe, which must answer when the request pool is exhausted.</summary>
    public static (DbDataSource Source, SchemaDialect Dialect, Dialect Failures) OpenForProbe(DatabaseSettings settings)
    {
        DapperTypes.Register();
        var session = new PostgresSession(settings.Schema);
        return settings.Postgres is { } postgres
            ? (Unpooled(postgres, session, "catalog-ready", statementSeconds: 2, postgres.Timeout), new PostgresSchemaDialect(session), new PostgresDialect())
            : (SqliteSource.Open(settings.SqlitePath!).Reads, new SqliteSchemaDialect(), new SqliteDialect());
    }

    /// <summary>Why no connection came about, with host, port, user and database, never a password, and what to do.</summary>
    /// <returns>Null when the exception says something else.</returns>
    public static string? WhyUnreachable(DatabaseSettings settings, Exception exception)
    {
        var finding = settings.Engine == DatabaseEngine.Postgres
            ? PostgresFailure.Find(exception, settings.ReadFrom, settings)
            : SqliteExaminer.Why(exception, settings.ReadFrom, settings);
        return finding is null ? null : $"{finding.Message} {finding.Action}".TrimEnd();
    }

    private static NpgsqlDataSource Unpooled(NpgsqlConnectionStringBuilder postgres, PostgresSession session, string name, int statementSeconds, int connectSeconds)
    {
        var settings = new NpgsqlConnectionStringBuilder(postgres.ConnectionString)
        {
            Pooling = false,
            CommandTimeout = statementSeconds,
            Timeout = connectSeconds,
            MaxAutoPrepare = 0,
            IncludeErrorDetail = true,
            ApplicationName = name,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = name };
        session.Apply(builder, $"{statementSeconds}s");
        return builder.Build();
    }
}
