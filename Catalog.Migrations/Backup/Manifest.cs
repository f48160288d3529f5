using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Data.Database;

namespace Catalog.Migrations.Backup;

/// <summary>
/// The manifest of a backup, stored as <c>NAME.json</c>. It is written last, so a file without a manifest does not
/// count as a backup.
/// </summary>
internal sealed partial record Manifest
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>File name of the backup, without a folder.</summary>
    public required string File { get; init; }

    /// <summary><c>custom</c>, <c>plain</c> or <c>sqlite</c>.</summary>
    public required string Format { get; init; }

    /// <summary><c>none</c>, <c>gzip</c> (the whole file) or <c>internal</c> (by pg_dump, within the custom format).</summary>
    public required string Compression { get; init; }

    /// <summary>Size of the file in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>SHA-256 of the file in lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary><c>postgres</c> or <c>sqlite</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>
    /// Name of the database; on SQLite, name of the file. Backups with the same engine and name are generations of one
    /// database.
    /// </summary>
    public required string Database { get; init; }

    /// <summary>
    /// Name of the schema that was backed up. Null on SQLite and in backups by old builds, whose schema is
    /// <c>public</c>.
    /// </summary>
    public string? Schema { get; init; }

    public required string ServerVersion { get; init; }

    /// <summary>Version of pg_dump; null on SQLite.</summary>
    public string? PgDumpVersion { get; init; }

    /// <summary>Name of the newest applied script without extension; <c>base</c> for none.</summary>
    public required string SchemaRevision { get; init; }

    public required string SchemaFingerprint { get; init; }

    /// <summary>True if the backup contains no rows, not even those of the journal.</summary>
    public required bool SchemaOnly { get; init; }

    /// <summary>Row count of each table in the backup, including the journal.</summary>
    public required IReadOnlyDictionary<string, long> Rows { get; init; }

    /// <summary>The time just before the snapshot was taken.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>Descriptions of the database's objects that the backup does not contain; empty for none.</summary>
    public required IReadOnlyList<string> Excluded { get; init; }

    /// <summary>
    /// Entries of the file that are not restored, because they do not belong to the Catalog; see
    /// <see cref="PostgresSnapshot.LeftOut"/>. Null on SQLite and in backups by old builds. From those
    /// backups, everything in the schema is restored.
    /// </summary>
    public IReadOnlyList<string>? LeftOut { get; init; }

    /// <summary>
    /// Objects that must exist where the backup is restored, because others added columns or constraints to the
    /// Catalog's tables that use these objects. Empty for none; null on SQLite and in backups by old builds.
    /// </summary>
    public IReadOnlyList<string>? Requires { get; init; }

    public required string ToolVersion { get; init; }

    /// <summary>The schema to restore. Backups by old builds contain other schemas too, which are not restored.</summary>
    internal string OwnSchema => Schema ?? DatabaseSettings.DefaultSchema;

    /// <summary>Row counts of the tables in <see cref="OwnSchema"/>. The manifests of old builds count other schemas too.</summary>
    internal IReadOnlyDictionary<string, long> OwnRows => Schema is not null || Engine != "postgres" ? Rows
        : Rows.Where(table => !Qualified().IsMatch(table.Key)).ToDictionary(StringComparer.Ordinal);

    /// <summary>Total number of rows.</summary>
    internal long AllRows => Rows.Values.Sum();

    internal static string BuildVersion { get; } = typeof(Manifest).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>(
        )?.InformationalVersion ?? "";

    /// <summary>
    /// Returns a new file name. Sorted by name, backups are in order of time. Random digits distinguish backups of the
    /// same second.
    /// </summary>
    public static string NewName(DateTimeOffset at, string extension) =>
        $"catalog-{at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.{extension}";

    /// <summary>True for the file name of a backup; false for that of a manifest.</summary>
    public static bool IsName(string file) => Name().IsMatch(file);

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Reads a manifest.</summary>
    /// <param name="text">Content of the manifest.</param>
    /// <param name="file">File name of the backup.</param>
    /// <exception cref="BackupException">The manifest is invalid or belongs to another backup.</exception>
    public static Manifest Read(byte[] text, string file)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<Manifest>(text, Json) ?? throw new JsonException("empty");
            return manifest.File == file ? manifest : throw BackupException.Damaged($"{file}.json is the manifest of {manifest.File}.");
        }
        catch (JsonException)
        {
            throw BackupException.Damaged($"{file}.json is not a valid manifest.");
        }
    }

    [GeneratedRegex("^([^\".]+|\"([^\"]|\"\")+\")\\.")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"^catalog-\d{8}T\d{6}Z-[0-9a-f]{8}\.(dump|sql|sql\.gz|db|db\.gz)\z")]
    private static partial Regex Name();
}
