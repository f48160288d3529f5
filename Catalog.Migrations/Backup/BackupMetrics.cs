using System.Globalization;
using Catalog.Data.Settings;

namespace Catalog.Migrations.Backup;

/// <summary>
/// Writes a file with the time of the newest backup, for the textfile collector of Prometheus' node_exporter. The
/// service does not know the backups, and the console does not run long enough to be scraped.
/// </summary>
internal static class BackupMetrics
{
    /// <summary>Checks the path before the backup is taken. Returns the full path; null for null.</summary>
    /// <exception cref="SettingException">The collector would not read a file with this name, or the folder does not exist.</exception>
    public static string? ReadPath(string? path)
    {
        if (path is null)
        {
            return null;
        }

        var full = path.EndsWith(".prom", StringComparison.Ordinal) ? Path.GetFullPath(path)
            : throw new SettingException("--metrics: the name of the file must end in .prom; node_exporter reads no others.");
        return Directory.Exists(Path.GetDirectoryName(full)) ? full
            : throw new SettingException($"--metrics: the folder {Path.GetDirectoryName(full)} does not exist. Create it first.");
    }

    /// <summary>
    /// Replaces the whole file. A failed backup does not call this, so the file then keeps the time of the last good
    /// backup.
    /// </summary>
    public static void Write(string path, Manifest manifest)
    {
        // The collector does not read files that end in .part.
        var part = path + ".part";
        File.WriteAllText(part, Text(manifest));
        File.Move(part, path, overwrite: true);
    }

    private static string Text(Manifest manifest)
    {
        var labels = $"{{engine=\"{manifest.Engine}\",database=\"{Escape(manifest.Database)}\"}}";
        var started = manifest.StartedAt.ToUnixTimeMilliseconds() / 1000.0;
        var seconds = (manifest.FinishedAt - manifest.StartedAt).TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture, $"""
            # HELP catalog_backup_last_success_timestamp_seconds Start of the newest backup that was read back completely.
            # TYPE catalog_backup_last_success_timestamp_seconds gauge
            catalog_backup_last_success_timestamp_seconds{labels} {started:0.000}
            # HELP catalog_backup_last_duration_seconds Duration of this backup.
            # TYPE catalog_backup_last_duration_seconds gauge
            catalog_backup_last_duration_seconds{labels} {seconds:0.000}
            # HELP catalog_backup_last_size_bytes Size of this backup.
            # TYPE catalog_backup_last_size_bytes gauge
            catalog_backup_last_size_bytes{labels} {manifest.Bytes}

            """).ReplaceLineEndings("\n");
    }

    private static string Escape(string text) => text.Replace("\\", @"\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
