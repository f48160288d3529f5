using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Database.Sqlite;
using Catalog.Data.Migrations.Postgres;
using Catalog.Data.Migrations.Sqlite;

namespace Catalog.Data.Migrations;

/// <summary>
/// The database as the migrator uses it: connections without a pool, so that none keeps a lock, without a time limit on a statement,
/// and patient with a busy server.
/// </summary>
public sealed class MigrationDatabase : IAsyncDisposable
{
    private MigrationDatabase(DatabaseSettings settings, DbDataSource source, DbDataSource reads, SchemaDialect dialect, SchemaReader reader, Dialect failures) =>
        (Settings, Source, Reads, Dialect, Reader, Failures) = (settings, source, reads, dialect, reader, failures);

    /// <summary>Where it is.</summary>
    public DatabaseSettings Settings { get; }

    /// <summary>For verbs that write; on SQLite it creates the file.</summary>
    public DbDataSource Source { get; }

    /// <summary>For verbs that only read: on SQLite a file that does not exist is empty and stays absent; on Postgres the same as <see cref="Source"/>.</summary>
    public DbDataSource Reads { get; }

    /// <summary>How this engine runs scripts.</summary>
    public SchemaDialect Dialect { get; }

    /// <summary>How this engine describes its schema.</summary>
    public SchemaReader Reader { get; }

    /// <summary>Tells why the database cannot be used.</summary>
    public Dialect Failures { get; }

    /// <summary>Opens no connection yet.</summary>
    public static MigrationDatabase Open(DatabaseSettings settings)
    {
        DapperTypes.Register();
        if (settings.Postgres is { } postgres)
        {
            var session = new PostgresSession(settings.Schema);
            var source = Databases.Unpooled(postgres, session, "catalog-migrations", statementSeconds: 0, Math.Max(15, postgres.Timeout));
            return new(settings, source, source, new PostgresSchemaDialect(session), new PostgresSchemaReader(), new PostgresDialect());
        }

        return new(
            settings, SqliteSource.Open(settings.SqlitePath!).Writes, SqliteSource.Look(settings.SqlitePath!), new SqliteSchemaDialect(), new SqliteSchemaReader(), new SqliteDialect());
    }

    /// <summary>Renews the planner's statistics, so that plans fit what was just written in bulk.</summary>
    public async Task Analyze(CancellationToken ct)
    {
        await using var connection = await Source.OpenConnectionAsync(ct);
        await Dialect.Execute(connection, null, "analyze", ct);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Reads.DisposeAsync();
    }
}
