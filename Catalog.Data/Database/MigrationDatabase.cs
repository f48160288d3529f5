using System.Data.Common;
using Catalog.Data.Database.Examination;

namespace Catalog.Data.Database;

/// <summary>The database as those see it who change its schema: no pool, no limit on a statement, one writer.</summary>
public sealed class MigrationDatabase(DatabaseSettings settings, DbDataSource source, DbDataSource reads, SchemaDialect dialect, Dialect failures) : IAsyncDisposable
{
    /// <summary>Where it is.</summary>
    public DatabaseSettings Settings { get; } = settings;

    /// <summary>For verbs that write; on SQLite it makes the file.</summary>
    public DbDataSource Source { get; } = source;

    /// <summary>For verbs that only look: on SQLite a file that does not exist is empty and stays absent; on Postgres the same as <see cref="Source"/>.</summary>
    public DbDataSource Reads { get; } = reads;

    /// <summary>What the engines cannot share when the schema is changed.</summary>
    public SchemaDialect Dialect { get; } = dialect;

    /// <summary>Tells why the database cannot be used.</summary>
    public Dialect Failures { get; } = failures;

    /// <summary>Looks at the database and changes nothing.</summary>
    public required Examiner Examiner { get; init; }

    /// <summary>Has the engine look at the tables anew, so that its plans fit what was just written in bulk.</summary>
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
