using System.Data.Common;

namespace Catalog.Data.Migrations;

/// <summary>How an engine describes its own schema.</summary>
public abstract class SchemaReader
{
    /// <summary>The live schema, one line for each table, column, constraint, index and so on, in no promised order. Definitions name schemas that are not in the search path, so that must be the Catalog's.</summary>
    public abstract Task<List<string>> Describe(DbConnection connection, CancellationToken ct);

    /// <summary>The same of what a backup holds: without what others put beside the Catalog's tables.</summary>
    public virtual Task<List<string>> DescribeOwn(DbConnection connection, CancellationToken ct) => Describe(connection, ct);

    /// <summary>The indexes that an interrupted build left unusable.</summary>
    public abstract Task<List<string>> InvalidIndexes(DbConnection connection, CancellationToken ct);

    /// <summary>The database's name, as a destructive verb asks for it.</summary>
    public abstract Task<string> DatabaseName(DbConnection connection, CancellationToken ct);

    /// <summary>The names of the tables whose rows a backup holds, the migrator's own among them, each as it is written in a statement.</summary>
    public abstract string FindRowTables { get; }

    /// <summary>One row: the server's or library's version.</summary>
    public abstract string FindVersion { get; }
}
