namespace Catalog.Data.Database;

/// <summary>The supported database engines.</summary>
public enum DatabaseEngine
{
    /// <summary>A local file. The default; needs no set-up.</summary>
    Sqlite,

    /// <summary>PostgreSQL 15 or later, for production.</summary>
    Postgres,
}
