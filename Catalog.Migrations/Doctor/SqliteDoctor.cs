using System.Data.Common;
using System.Globalization;
using Catalog.Data;
using Dapper;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Catalog.Migrations.Doctor;

/// <summary>The checks of a SQLite file.</summary>
internal sealed class SqliteDoctor(string path) : EngineDoctor
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(5);
    private static readonly string[] NetworkFileSystems = ["nfs", "cifs", "smb", "9p", "v9fs", "afs", "ceph", "lustre", "gluster",
        "fuse.sshfs", "ncp", "coda", "vboxsf"];

    // The size is read before a connection is opened, because opening can create the log.
    private readonly long _walBytes = File.Exists($"{path}-wal") ? new FileInfo($"{path}-wal").Length : 0;

    internal override async Task<Place> Locate(DbConnection connection, CancellationToken ct)
    {
        // SQLite opens the file at the first statement.
        await connection.ExecuteScalarAsync(new CommandDefinition("select count(*) from sqlite_master", cancellationToken: ct));
        return new(path, null, 0, Pooled: false);
    }

    internal override async Task Check(DbConnection connection, Client service, DoctorThresholds limits, DoctorReport report,
        CancellationToken ct)
    {
        if (!File.Exists(path))
        {
            report.Add("file_missing", Severity.Warning, $"The file {path} does not exist.",
                "The service creates it at its first start; `catalog-migrations upgrade` creates it now. If the file should exist, "
                    + "correct the path.");
            return;
        }

        await RunCheck(connection, "The file", () => CheckFile(connection, report, ct), report, ct);
        await RunCheck(connection, "The file's integrity", () => CheckIntegrity(connection, report, ct), report, ct);
        await ReadTables(connection, report, ct);
    }

    internal override async Task RunCheck(DbConnection connection, string subject, Func<Task> check, DoctorReport report,
        CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var interrupt = limit.Token.Register(() => raw.sqlite3_interrupt(((SqliteConnection)connection).Handle));
        limit.CancelAfter(TimeLimit);
        try
        {
            // The driver is synchronous. So the check runs on another thread, where the time limit and cancellation can
            // interrupt it.
            await Task.Run(check, ct);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == 9 && !ct.IsCancellationRequested)
        {
            report.Add("not_examined", Severity.Note, $"{subject} could not be checked completely within {TimeLimit.TotalSeconds:0} s.",
                "The file is large. Run `sqlite3 FILE 'pragma integrity_check'` while the service is idle.");
        }
    }

    /// <summary>True for the name of a network file system, on which SQLite's locks and write-ahead log do not work.</summary>
    internal static bool IsNetwork(string fileSystem) =>
        NetworkFileSystems.Any(name => fileSystem.StartsWith(name, StringComparison.OrdinalIgnoreCase));

    private async Task CheckFile(DbConnection connection, DoctorReport report, CancellationToken ct)
    {
        async Task<string> Pragma(string pragma) =>
            Convert.ToString(await connection.ExecuteScalarAsync(new CommandDefinition($"pragma {pragma}", cancellationToken: ct)),
                CultureInfo.InvariantCulture)!;
        var file = new FileState
        {
            Path = path,
            Bytes = new FileInfo(path).Length,
            WalBytes = _walBytes,
            JournalMode = await Pragma("journal_mode"),
            FreeBytes = long.Parse(await Pragma("freelist_count"), CultureInfo.InvariantCulture) * long.Parse(
                await Pragma("page_size"), CultureInfo.InvariantCulture),
            FileSystem = FileSystem(),
        };
        report.File = file;
        if (file.JournalMode != "wal" && file.Bytes > 0)
        {
            report.Add("journal_mode", Severity.Warning,
                $"The file's journal mode is {file.JournalMode}, not wal: readers and the writer block each other.",
                "Start the service once, which sets the mode. If the mode changes back, make the folder writable.");
        }

        if (file.WalBytes > Math.Max(64 * 1024 * 1024, file.Bytes))
        {
            report.Add("wal_large", Severity.Warning,
                $"The write-ahead log is {Quantity.Size(file.WalBytes)} for a file of {Quantity.Size(file.Bytes)}: a long-running "
                    + "reader prevents its checkpoint.", "End the process that reads the file for a long time, or restart the service.");
        }

        if (file.FreeBytes > 16 * 1024 * 1024 && file.FreeBytes * 2 > file.Bytes)
        {
            report.Add("file_mostly_free", Severity.Note,
                $"{Quantity.Size(file.FreeBytes)} of {Quantity.Size(file.Bytes)} are free pages; new rows fill them.",
                "To shrink the file, stop the service and run `sqlite3 FILE vacuum`.");
        }

        if (file.FileSystem is { } system && IsNetwork(system))
        {
            report.Add("network_file_system", Severity.Error,
                $"The file is on a network file system ({system}), where SQLite's locks and log do not work: the file can be damaged.",
                "Move it to a local disk, or use Postgres.");
        }
    }

    private static async Task CheckIntegrity(DbConnection connection, DoctorReport report, CancellationToken ct)
    {
        List<string> messages;
        try
        {
            messages = (await connection.QueryAsync<string>(new CommandDefinition("pragma quick_check(5)", cancellationToken: ct)))
                .AsList();
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == 11)
        {
            messages = [exception.Message];
        }

        if (messages is not ["ok"])
        {
            report.Add("file_damaged", Severity.Error, $"The file is damaged: {string.Join("; ", messages).ReplaceLineEndings(" ")}.",
                "Stop the service, keep a copy of the file and its -wal file, and restore a backup. `sqlite3 FILE .recover` saves "
                    + "the readable data.");
        }
    }

    private async Task ReadTables(DbConnection connection, DoctorReport report, CancellationToken ct)
    {
        const string Sql = """
            -- SqliteDoctor.ReadTables
            select name from sqlite_master where type = 'table' and name not like 'sqlite\_%' escape '\' order by name
            """;

        var tables = new List<TableState>();
        await RunCheck(connection, "The number of rows", async () =>
        {
            foreach (var name in await connection.QueryAsync<string>(new CommandDefinition(Sql, cancellationToken: ct)))
            {
                tables.Add(new TableState { Name = name });
                tables[^1] = tables[^1] with
                {
                    LiveRows = await connection.ExecuteScalarAsync<long>(
                        new CommandDefinition($"select count(*) from \"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
                            cancellationToken: ct))
                };
            }
        }, report, ct);
        report.Tables = [.. tables.OrderByDescending(table => table.LiveRows ?? long.MaxValue)
            .ThenBy(table => table.Name, StringComparer.Ordinal)];
    }

    private string? FileSystem()
    {
        try
        {
            return new DriveInfo(Path.GetDirectoryName(path)!).DriveFormat;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
