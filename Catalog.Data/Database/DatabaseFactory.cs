using Catalog.Data.Database.Postgres;
using Catalog.Data.Database.Sqlite;
using Npgsql;

namespace Catalog.Data.Database;

/// <summary>Opens the database of a <see cref="DatabaseSettings"/>. Only this class chooses the engine.</summary>
public static class DatabaseFactory
{
    /// <summary>
    /// Opens the database for requests: a connection pool on Postgres, one writer and many readers on SQLite.
    /// </summary>
    /// <param name="settings">The address and its options.</param>
    /// <param name="echo">Called with the SQL and duration of every statement; null to disable.</param>
    /// <param name="warn">Called with a warning for the operator, such as a detected pooler; null to disable.</param>
    public static CatalogDatabase Open(DatabaseSettings settings, Action<string, TimeSpan>? echo = null, Action<string>? warn = null)
    {
        DapperTypes.Register();
        if (settings.Postgres is { } postgres)
        {
            if (settings.IgnoredWarning is { } warning)
            {
                warn?.Invoke(warning);
            }

            var pool = new PostgresPool(postgres, new(settings.Schema), settings.BehindPooler, warn);
            return new(pool, pool, new PostgresDialect(pool, new(pool, settings.AppRole, settings.RequireRowSecurity)), echo);
        }

        var (reads, writes) = SqliteSource.Open(settings.SqlitePath!, keepsWriter: true);
        return new(reads, writes, new SqliteDialect(), echo);
    }

    /// <summary>
    /// Why a connection could not be opened and how to fix it, with host, port, user and database; never a password.
    /// </summary>
    /// <returns>Null when the exception is not a connection failure.</returns>
    public static string? DescribeFailure(DatabaseSettings settings, Exception exception) =>
        ConnectionFailure.Find(exception, settings.ReadFrom, settings)?.ToString();

    /// <summary>
    /// A data source without a pool, for schema changes: each connection is closed after use, so no pool keeps a lock.
    /// </summary>
    /// <param name="postgres">The address.</param>
    /// <param name="session">The session settings to apply.</param>
    /// <param name="name">The <c>application_name</c> on the server.</param>
    /// <param name="statementSeconds">Statement time-out in seconds; 0 for none.</param>
    /// <param name="connectSeconds">Connection time-out in seconds.</param>
    internal static NpgsqlDataSource Unpooled(NpgsqlConnectionStringBuilder postgres, PostgresSession session, string name,
        int statementSeconds, int connectSeconds)
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
        session.Configure(builder, $"{statementSeconds}s");
        return builder.ConfigureTracing(PostgresTracing.None).Build();
    }
}
