using System.Data.Common;

namespace Catalog.Data.Database;

/// <summary>What the engines cannot share when the schema is changed.</summary>
public abstract class SchemaDialect
{
    /// <summary>The folder below <c>sql/</c> that holds this engine's scripts.</summary>
    public abstract string Folder { get; }

    /// <summary>
    /// Makes the journal where it is absent: DbUp's own table and columns, so that DbUp pointed at the same folder and database
    /// finds nothing to do, and ours beside them, nullable, because DbUp would not fill them.
    /// </summary>
    internal abstract string CreateJournal { get; }

    /// <summary>One row when the journal exists, otherwise none.</summary>
    internal abstract string FindJournal { get; }

    /// <summary>Holds off other migrators while the returned lock lives.</summary>
    /// <returns>The lock, or null when another process kept it for the whole time.</returns>
    internal abstract Task<IAsyncDisposable?> Lock(DbConnection connection, TimeSpan patience, CancellationToken ct);
}
