using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Catalog.Data.Database;

namespace Catalog.Migrations.Backup;

/// <summary>What stands beside a backup, as <c>NAME.json</c>. It is written last: a file without one is no backup.</summary>
internal sealed partial record Manifest
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>The backup's name, without a folder.</summary>
    public required string File { get; init; }

    /// <summary><c>custom</c>, <c>plain</c> or <c>sqlite</c>.</summary>
    public required string Format { get; init; }

    /// <summary><c>none</c>, <c>gzip</c> (the whole file) or <c>internal</c> (pg_dump's own, in the custom format).</summary>
    public required string Compression { get; init; }

    /// <summary>Of the file as it lies there.</summary>
    public required long Bytes { get; init; }

    /// <summary>Of the file as it lies there, in lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary><c>postgres</c> or <c>sqlite</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>The database's name; on SQLite the file's. Backups of one engine and name are generations of each other.</summary>
    public required string Database { get; init; }

    /// <summary>On Postgres the schema that it holds; absent in backups of before there was a choice, which hold <c>public</c>.</summary>
    public string? Schema { get; init; }

    public required string ServerVersion { get; init; }

    /// <summary>Null on SQLite.</summary>
    public string? PgDumpVersion { get; init; }

    /// <summary>The newest applied script without its ending; <c>base</c> when there is none.</summary>
    public required string SchemaRevision { get; init; }

    public required string SchemaFingerprint { get; init; }

    /// <summary>Whether it holds no rows, not even the journal's.</summary>
    public required bool SchemaOnly { get; init; }

    /// <summary>The number of rows of each table in the backup, the journal's among them.</summary>
    public required IReadOnlyDictionary<string, long> Rows { get; init; }

    /// <summary>Just before the moment whose state it holds.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>What the database has and the backup has not; empty when nothing is left out.</summary>
    public required IReadOnlyList<string> Excluded { get; init; }

    /// <summary>
    /// On Postgres what of the file is not restored, because others put it on the Catalog's tables: see <see cref="PostgresSnapshot.LeftOut"/>.
    /// Absent in backups of earlier builds, which hold all that lay in the schema.
    /// </summary>
    public IReadOnlyList<string>? LeftOut { get; init; }

    public required string ToolVersion { get; init; }

    /// <summary>The schema that it holds, and, in one of before there was a choice, the only one of those it holds that is restored.</summary>
    internal string OwnSchema => Schema ?? DatabaseSettings.DefaultSchema;

    /// <summary>The rows of that schema's tables. Older backups count those of others too.</summary>
    internal IReadOnlyDictionary<string, long> OwnRows => Schema is not null || Engine != "postgres" ? Rows
        : Rows.Where(table => !Qualified().IsMatch(table.Key)).ToDictionary(StringComparer.Ordinal);

    /// <summary>All rows.</summary>
    internal long AllRows => Rows.Values.Sum();

    internal static string BuildVersion { get; } = typeof(Manifest).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    /// <summary>A new backup's name, which sorts by time and is unique also within a second.</summary>
    public static string NewName(DateTimeOffset at, string extension) =>
        $"catalog-{at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.{extension}";

    /// <summary>Whether a file is called as backups are; manifests are not.</summary>
    public static bool IsName(string file) => Name().IsMatch(file);

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>Reads a manifest.</summary>
    /// <param name="text">The file's content.</param>
    /// <param name="file">The backup that it should be of.</param>
    /// <exception cref="BackupException">It is none, or another one's.</exception>
    public static Manifest Read(byte[] text, string file)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<Manifest>(text, Json) ?? throw new JsonException("empty");
            return manifest.File == file ? manifest : throw BackupException.Damaged($"{file}.json is the manifest of {manifest.File}.");
        }
        catch (JsonException exception)
        {
            throw BackupException.Damaged($"{file}.json cannot be read as a manifest ({exception.Message.Split('.')[0]}).");
        }
    }

    [GeneratedRegex("^([^\".]+|\"([^\"]|\"\")+\")\\.")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"^catalog-\d{8}T\d{6}Z-[0-9a-f]{8}\.(dump|sql|sql\.gz|db|db\.gz)\z")]
    private static partial Regex Name();
}
