namespace Catalog.Data.Database;

/// <summary>The supported database engines.</summary>
public enum DatabaseEngine
{
    /// <summary>A local file. This is the default, and it needs no set-up.</summary>
    Sqlite,

    /// <summary>PostgreSQL 15 or later, for production.</summary>
    Postgres,
}
