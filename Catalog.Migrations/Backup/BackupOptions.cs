namespace Catalog.Migrations.Backup;

/// <summary>Format and limits of one backup.</summary>
/// <param name="Format">On Postgres <c>custom</c> or <c>plain</c>; on SQLite <c>sqlite</c>.</param>
/// <param name="Level">Compression level, 1 to 9; null for no compression.</param>
/// <param name="SchemaOnly">True to back up the schema without rows; Postgres only.</param>
/// <param name="LockWait">Maximum wait for a lock.</param>
internal sealed record BackupOptions(string Format, int? Level, bool SchemaOnly, TimeSpan LockWait)
{
    public string Extension => Format switch
    {
        "custom" => "dump",
        "plain" => Level is null ? "sql" : "sql.gz",
        _ => Level is null ? "db" : "db.gz",
    };

    public string Compression => Level is null ? "none" : Format == "custom" ? "internal" : "gzip";
}
