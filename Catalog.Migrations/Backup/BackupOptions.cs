namespace Catalog.Migrations.Backup;

/// <summary>What kind of backup is asked for.</summary>
/// <param name="Format">On Postgres <c>custom</c> or <c>plain</c>; on SQLite <c>sqlite</c>.</param>
/// <param name="Level">How hard to compress, 1 to 9; null: not at all.</param>
/// <param name="SchemaOnly">Whether rows are left out; on Postgres only.</param>
/// <param name="LockWait">How long to wait for a table that somebody has locked.</param>
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
