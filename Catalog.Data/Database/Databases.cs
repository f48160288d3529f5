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

    /// <summary>Why no connection was made, with host, port, user and database, never a password, and what to do.</summary>
    /// <returns>Null when the exception says something else.</returns>
    public static string? WhyUnreachable(DatabaseSettings settings, Exception exception) =>
        ConnectionFailure.Find(exception, settings.ReadFrom, settings)?.ToString();

    /// <summary>A source for the schema's own work: each connection is new and is closed after use, so no pool keeps a lock.</summary>
    /// <param name="postgres">The address.</param>
    /// <param name="session">Its settings.</param>
    /// <param name="name">What the server shows as application name.</param>
    /// <param name="statementSeconds">The limit of a statement; 0: none.</param>
    /// <param name="connectSeconds">The limit of connecting.</param>
    internal static NpgsqlDataSource Unpooled(NpgsqlConnectionStringBuilder postgres, PostgresSession session, string name, int statementSeconds, int connectSeconds)
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
