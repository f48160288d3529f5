using System.Data.Common;

namespace Catalog.Data.Migrations;

/// <summary>Reads the live schema of an engine.</summary>
public abstract class SchemaReader
{
    /// <summary>
    /// The live schema, one line per table, column, constraint, index and so on, in no guaranteed order. The search
    /// path must be the Catalog's schema: Postgres writes the schema name before objects outside of it, so with another
    /// path the descriptions would differ.
    /// </summary>
    public abstract Task<List<string>> Describe(DbConnection connection, CancellationToken ct);

    /// <summary>
    /// Describes the schema like <see cref="Describe"/>, but only the objects that a backup contains. Other programs
    /// may have added objects.
    /// </summary>
    public virtual Task<List<string>> DescribeOwn(DbConnection connection, CancellationToken ct) => Describe(connection, ct);

    /// <summary>The invalid indexes that an interrupted concurrent build left.</summary>
    public abstract Task<List<string>> InvalidIndexes(DbConnection connection, CancellationToken ct);

    /// <summary>The database name, for the confirmation of destructive commands.</summary>
    public abstract Task<string> DatabaseName(DbConnection connection, CancellationToken ct);

    /// <summary>
    /// A query for the tables whose rows a backup contains, including the migrator's, each quoted for use in a
    /// statement.
    /// </summary>
    public abstract string FindRowTables { get; }

    /// <summary>A query with one row: the version of the server or library.</summary>
    public abstract string FindVersion { get; }
}
