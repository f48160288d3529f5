using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Database.Sqlite;
using Catalog.Data.Migrations.Postgres;
using Catalog.Data.Migrations.Sqlite;

namespace Catalog.Data.Migrations;

/// <summary>
/// The database for migrations. Its connections have no pool, so that no pool keeps a lock. They have no statement
/// time-out, and a longer connection time-out for a busy server.
/// </summary>
public sealed class MigrationDatabase : IAsyncDisposable
{
    private MigrationDatabase(DatabaseSettings settings, DbDataSource source, DbDataSource reads, SchemaDialect dialect,
        SchemaReader reader, Dialect failures) =>
        (Settings, Source, Reads, Dialect, Reader, Failures) = (settings, source, reads, dialect, reader, failures);

    /// <summary>The address of the database.</summary>
    public DatabaseSettings Settings { get; }

    /// <summary>The connections for commands that write. On SQLite they create a missing file.</summary>
    public DbDataSource Source { get; }

    /// <summary>
    /// The connections for read-only commands. On SQLite a missing file is read as an empty database and is not
    /// created. On Postgres they are the same as <see cref="Source"/>.
    /// </summary>
    public DbDataSource Reads { get; }

    /// <summary>Runs scripts on this engine.</summary>
    public SchemaDialect Dialect { get; }

    /// <summary>Describes the schema on this engine.</summary>
    public SchemaReader Reader { get; }

    /// <summary>Explains why the database cannot be used.</summary>
    public Dialect Failures { get; }

    /// <summary>Creates the data sources. No connection is opened yet.</summary>
    public static MigrationDatabase Open(DatabaseSettings settings)
    {
        DapperTypes.Register();
        if (settings.Postgres is { } postgres)
        {
            var session = new PostgresSession(settings.Schema);
            var source = DatabaseFactory.Unpooled(
                postgres, session, "catalog-migrations", statementSeconds: 0, Math.Max(15, postgres.Timeout));
            return new(settings, source, source, new PostgresSchemaDialect(session), new PostgresSchemaReader(), new PostgresDialect());
        }

        return new(
            settings, SqliteSource.Open(settings.SqlitePath!).Writes, SqliteSource.OpenReadOnly(settings.SqlitePath!),
            new SqliteSchemaDialect(), new SqliteSchemaReader(), new SqliteDialect());
    }

    /// <summary>Updates the planner's statistics after a bulk write.</summary>
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
