using System.Data.Common;
using System.Globalization;
using Catalog.Data;
using Dapper;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Catalog.Migrations.Doctor;

/// <summary>Looks at a SQLite file.</summary>
internal sealed class SqliteDoctor(string path) : EngineDoctor
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly string[] Network = ["nfs", "cifs", "smb", "9p", "v9fs", "afs", "ceph", "lustre", "gluster", "fuse.sshfs", "ncp", "coda", "vboxsf"];

    // Before a connection is opened, which may begin a log of its own.
    private readonly long _walBytes = File.Exists($"{path}-wal") ? new FileInfo($"{path}-wal").Length : 0;

    internal override async Task<Place> Locate(DbConnection connection, CancellationToken ct)
    {
        // The first statement is what opens the file.
        await connection.ExecuteScalarAsync(new CommandDefinition("select count(*) from sqlite_master", cancellationToken: ct));
        return new(path, null, 0, Pooled: false);
    }

    internal override async Task Look(DbConnection connection, Client service, DoctorThresholds limits, DoctorReport examined, CancellationToken ct)
    {
        if (!File.Exists(path))
        {
            examined.Add("file_missing", Severity.Warning, $"There is no file {path}.", "The service makes it at its first start, and `catalog-migrations upgrade` makes it now; if there should be one, correct the path.");
            return;
        }

        await Part(connection, "The file", () => LookAtFile(connection, examined, ct), examined, ct);
        await Part(connection, "Damage", () => LookForDamage(connection, examined, ct), examined, ct);
        await LookAtTables(connection, examined, ct);
    }

    internal override async Task Part(DbConnection connection, string what, Func<Task> part, DoctorReport examined, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var ending = limit.Token.Register(() => raw.sqlite3_interrupt(((SqliteConnection)connection).Handle));
        limit.CancelAfter(Patience);
        try
        {
            // The driver works on the caller's thread, which then could not be told to stop.
            await Task.Run(part, ct);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == 9 && !ct.IsCancellationRequested)
        {
            examined.Add("not_examined", Severity.Note, $"{what} was not looked at to the end: it took longer than {Patience.TotalSeconds:0} s.", "For a large file use `sqlite3 FILE` while the service is idle.");
        }
    }

    /// <summary>Whether a file system, as the system calls it, lies on another machine: SQLite's log does not work there.</summary>
    internal static bool IsNetwork(string fileSystem) =>
        Network.Any(name => fileSystem.StartsWith(name, StringComparison.OrdinalIgnoreCase));

    private async Task LookAtFile(DbConnection connection, DoctorReport examined, CancellationToken ct)
    {
        async Task<string> Ask(string pragma) => Convert.ToString(await connection.ExecuteScalarAsync(new CommandDefinition($"pragma {pragma}", cancellationToken: ct)), CultureInfo.InvariantCulture)!;
        var file = new FileState
        {
            Path = path,
            Bytes = new FileInfo(path).Length,
            WalBytes = _walBytes,
            JournalMode = await Ask("journal_mode"),
            FreeBytes = long.Parse(await Ask("freelist_count"), CultureInfo.InvariantCulture) * long.Parse(await Ask("page_size"), CultureInfo.InvariantCulture),
            FileSystem = FileSystem(),
        };
        examined.File = file;
        if (file.JournalMode != "wal" && file.Bytes > 0)
        {
            examined.Add("journal_mode", Severity.Warning, $"The file's journal mode is {file.JournalMode}, not wal: readers and the writer keep each other out.", "Start the service once, which sets it; if it does not stay, the folder may not be written.");
        }

        if (file.WalBytes > Math.Max(64 * 1024 * 1024, file.Bytes))
        {
            examined.Add("wal_large", Severity.Warning, $"The write-ahead log is {Quantity.Size(file.WalBytes)} beside a file of {Quantity.Size(file.Bytes)}: a reader that stays open keeps it from being emptied.", "End what reads the file for long, or start the service again.");
        }

        if (file.FreeBytes > 16 * 1024 * 1024 && file.FreeBytes * 2 > file.Bytes)
        {
            examined.Add("file_mostly_free", Severity.Note, $"{Quantity.Size(file.FreeBytes)} of {Quantity.Size(file.Bytes)} are free pages; new rows fill them.", "To give them back, stop the service and run `sqlite3 FILE vacuum`.");
        }

        if (file.FileSystem is { } system && IsNetwork(system))
        {
            examined.Add("network_file_system", Severity.Error, $"The file lies on a network file system ({system}), where SQLite's locks and log do not hold: it can be damaged.", "Move it to a disk of this machine, or use Postgres.");
        }
    }

    private static async Task LookForDamage(DbConnection connection, DoctorReport examined, CancellationToken ct)
    {
        List<string> answers;
        try
        {
            answers = (await connection.QueryAsync<string>(new CommandDefinition("pragma quick_check(5)", cancellationToken: ct))).AsList();
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == 11)
        {
            answers = [exception.Message];
        }

        if (answers is not ["ok"])
        {
            examined.Add("file_damaged", Severity.Error, $"The file is damaged: {string.Join("; ", answers).ReplaceLineEndings(" ")}.", "Stop the service, keep a copy of the file with its -wal, and restore a backup; `sqlite3 FILE .recover` saves what can be read.");
        }
    }

    private async Task LookAtTables(DbConnection connection, DoctorReport examined, CancellationToken ct)
    {
        const string Sql = """
            -- SqliteDoctor.LookAtTables
            select name from sqlite_master where type = 'table' and name not like 'sqlite\_%' escape '\' order by name
            """;

        var tables = new List<TableState>();
        await Part(connection, "The number of rows", async () =>
        {
            foreach (var name in await connection.QueryAsync<string>(new CommandDefinition(Sql, cancellationToken: ct)))
            {
                tables.Add(new TableState { Name = name });
                tables[^1] = tables[^1] with { LiveRows = await connection.ExecuteScalarAsync<long>(new CommandDefinition($"select count(*) from \"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", cancellationToken: ct)) };
            }
        }, examined, ct);
        examined.Tables = [.. tables.OrderByDescending(table => table.LiveRows ?? long.MaxValue).ThenBy(table => table.Name, StringComparer.Ordinal)];
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
