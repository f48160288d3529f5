using System.Globalization;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Backup;

/// <summary>Writes and reads backups of Postgres with pg_dump and pg_restore.</summary>
internal static class PostgresArchive
{
    // Maximum time without output of pg_restore. A negative length in a damaged archive makes pg_restore seek forever.
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Writes a dump of one snapshot of the database.</summary>
    /// <param name="database">The database.</param>
    /// <param name="path">Path of the dump. The file must be missing or empty.</param>
    /// <param name="options">Format and limits.</param>
    /// <param name="ct">Cancels the operation and kills pg_dump.</param>
    /// <returns>The values for the manifest; see <see cref="Manifest.Excluded"/> and <see cref="Manifest.LeftOut"/>.</returns>
    public static async Task<(DatabaseContents Contents, string? PgDumpVersion, IReadOnlyList<string> Excluded,
        IReadOnlyList<string>? LeftOut, IReadOnlyList<string>? Requires)> Write(
            MigrationDatabase database, string path, BackupOptions options, CancellationToken ct)
    {
        var pgDump = PostgresPrograms.Find("pg_dump");
        var (version, major) = await PostgresPrograms.Version(pgDump, ct);
        await using var snapshot = await PostgresSnapshot.Take(database, options.LockWait, ct);
        RequireCompleteDump(snapshot, pgDump, version, major);
        var contents = await ReadContents(database, snapshot, options.LockWait, ct);

        async Task Dump(string? file, Func<Stream, Task>? drain, int compress, params string[] sections)
        {
            var result = await PostgresPrograms.Run(pgDump,
            [
                .. Selection(database.Settings.Schema, snapshot.Tables), "--format=custom", "--no-password", "--encoding=UTF8",
                $"--snapshot={snapshot.Id}",
                string.Create(CultureInfo.InvariantCulture, $"--lock-wait-timeout={(long)options.LockWait.TotalMilliseconds}"),
                .. options.SchemaOnly ? ["--schema-only"] : Array.Empty<string>(), $"--compress={compress}", .. sections, .. file is null
                    ? Array.Empty<string>() : [$"--file={file}"],
            ], snapshot.Environment, null, drain, ct);
            if (result.Exit != 0)
            {
                throw result.ErrorMessage.Contains("lock timeout", StringComparison.Ordinal)
                    || result.Errors.Any(line => line.Contains("lock timeout", StringComparison.Ordinal))
                    ? LockTimeout(options.LockWait, null)
                    : new BackupException(
                        ExitCode.Failed, "dump_failed", $"pg_dump failed, and no backup was created: {result.ErrorMessage}");
            }
        }

        if (options.Format == "custom")
        {
            await Dump(path, null, options.Level ?? 0);
        }
        else
        {
            await WritePlain(Dump, database.Settings.Schema, path, options.Level, snapshot.LeftOut, ct);
        }

        return (contents, version, [.. options.SchemaOnly
            ? ["the rows of all tables, including the journal"] : Array.Empty<string>(), .. snapshot.Excluded], snapshot.LeftOut,
                snapshot.Requires);
    }

    /// <exception cref="BackupException">The dump would be incomplete.</exception>
    private static void RequireCompleteDump(PostgresSnapshot snapshot, string pgDump, string version, int major)
    {
        if (major < snapshot.Major)
        {
            throw new BackupException(ExitCode.Failed, "client_too_old",
                $"{pgDump} is version {version} but the server is {snapshot.Major}: a dump by an older pg_dump may be incomplete. "
                    + $"Install postgresql-client-{snapshot.Major} or newer, or set PG_BIN to its folder.");
        }

        if (snapshot.Hidden.Count > 0)
        {
            throw new BackupException(ExitCode.Failed, "rows_hidden",
                $"Row-level security hides rows of {string.Join(", ", snapshot.Hidden)} from this role, so the backup would be "
                    + "incomplete. Run `alter role NAME bypassrls`, or set DATAXPIPE_MIGRATIONS_DB to an address with a role that "
                    + "has `bypassrls`.");
        }
    }

    private static async Task<DatabaseContents> ReadContents(MigrationDatabase database, PostgresSnapshot snapshot, TimeSpan lockWait,
        CancellationToken ct)
    {
        DatabaseContents contents;
        try
        {
            contents = await snapshot.Contents(database, ct);
        }
        catch (Exception exception) when (exception is System.Data.Common.DbException { SqlState: "55P03" })
        {
            throw LockTimeout(lockWait, exception);
        }

        // This build does not know the tables of a newer schema, so they would be missing from the dump.
        return contents.Revision == Chain.Base || Chain.BuiltIn(database.Dialect.Folder)
            .Scripts.Any(script => script.Revision == contents.Revision)
            ? contents
            : throw new BackupException(
                ExitCode.Drift, "newer_schema",
                $"The database is at {contents.Revision}, which this build does not know, so the backup could lack tables. Back "
                    + "up with the build that upgraded the database, or a later one.");
    }

    // A backup contains the Catalog's own tables, and those of their dependent objects that can be restored anywhere.
    // It does not contain other objects in the schema. Extensions, other schemas, publications and event triggers
    // belong to the database's administrator. Owners, grants and tablespaces differ between servers. `restore` and
    // `upgrade` grant the privileges of the service's role.
    private static IEnumerable<string> Selection(string schema, IReadOnlyList<string> tables) =>
    [
        .. tables.Count > 0
            ? tables.Select(table => $"--table=\"{schema}\".\"{table}\"")
            : [$"--schema=\"{schema}\"", "--exclude-table=*", "--section=data"],
        "--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications", "--no-subscriptions", "--no-security-labels",
        "--no-comments",
    ];

    // pg_restore needs the archive's list before it can leave out entries, and a pipe can be read only once. All
    // entries to leave out are in the post-data section, so that section is dumped to a file.
    private static async Task WritePlain(Func<string?, Func<Stream, Task>?, int, string[], Task> dump, string schema, string path,
        int? level, IReadOnlyList<string> leftOut, CancellationToken ct)
    {
        await using var file = Gzip.Write(path, level);
        string? fault = null;
        await dump(null, async archive => fault = await Convert([], archive), 0,
            leftOut.Count > 0 ? ["--section=pre-data", "--section=data"] : []);
        if (fault is null && leftOut.Count > 0)
        {
            using var folder = new TemporaryFolder();
            var rest = Path.Combine(folder.Path, "rest");
            await dump(rest, null, 0, ["--section=post-data"]);
            var list = await WriteList(rest, leftOut, folder, ct);
            fault = list.Fault ?? await Convert([list.Argument!, rest], null);
        }

        // If pg_dump failed, dump has already thrown its error. The error of pg_restore would only say that its input ends
        // early.
        if (fault is not null)
        {
            throw BackupException.Damaged(
                $"pg_restore cannot read the dump: {fault}. No backup was created. Check that pg_restore is not older than pg_dump, then "
                    + "run this again.");
        }

        async Task<string?> Convert(string[] arguments, Stream? archive)
        {
            var result = await PostgresPrograms.Run(PostgresPrograms.Find("pg_restore"), RestoreArguments(schema).Concat(arguments),
                new Dictionary<string, string?>(),
                archive is null ? null : input => archive.CopyToAsync(input, ct), script => script.CopyToAsync(file, ct), ct);
            // If pg_restore ended early, this reads the rest. Otherwise pg_dump would block on a full pipe.
            await (archive?.CopyToAsync(Stream.Null, ct) ?? Task.CompletedTask);
            return result.Exit == 0 ? null : result.ErrorMessage;
        }
    }

    // Writes the archive's list without the entries in leftOut. Returns the pg_restore argument that names this list, or
    // the reason why the archive is unreadable.
    private static async Task<(string? Argument, string? Fault)> WriteList(
        string path, IReadOnlyList<string> leftOut, TemporaryFolder folder, CancellationToken ct)
    {
        var list = "";
        var result = await PostgresPrograms.Run(
            PostgresPrograms.Find("pg_restore"), ["--list", path], new Dictionary<string, string?>(), null, async output =>
        {
            using var reader = new StreamReader(output);
            list = await reader.ReadToEndAsync(ct);
        }, ct, IdleTimeout);
        if (result.Exit != 0)
        {
            return (null, result.ErrorMessage);
        }

        var file = Path.Combine(folder.Path, "list");
        // A line of the list is `NUMBER; CATALOG_OID OBJECT_OID DESCRIPTION`.
        await File.WriteAllLinesAsync(
            file, list.Split('\n').Where(line => !leftOut.Any(entry => line.Contains($"; {entry} ", StringComparison.Ordinal))), ct);
        return ($"--use-list={file}", null);
    }

    private static IEnumerable<string> RestoreArguments(string schema) =>
        ["--file=-", $"--schema={schema}", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications",
            "--no-security-labels"];

    /// <summary>Reads a dump completely as SQL, limited to the Catalog's schema.</summary>
    /// <returns>Null on success, otherwise the reason why the dump is unreadable.</returns>
    public static async Task<string?> Read(string path, Manifest manifest, Func<Stream, Task> read, CancellationToken ct)
    {
        if (manifest.Format == "plain")
        {
            await using var script = Gzip.Read(path, manifest.Compression == "gzip");
            await read(script);
            return null;
        }

        var pgRestore = PostgresPrograms.Find("pg_restore");
        var (version, major) = await PostgresPrograms.Version(pgRestore, ct);
        if (manifest.PgDumpVersion is { } dumped && int.TryParse(dumped.Split('.')[0], CultureInfo.InvariantCulture, out var needed)
            && major < needed)
        {
            throw new BackupException(ExitCode.Failed, "client_too_old",
                $"{pgRestore} is version {version} but the backup was written by pg_dump {dumped}: install "
                    + $"postgresql-client-{needed} or newer, or set PG_BIN to its folder.");
        }

        try
        {
            using var folder = new TemporaryFolder();
            var list = manifest.LeftOut is { Count: > 0 } leftOut ? await WriteList(path, leftOut, folder, ct) : default;
            if (list.Fault is { } fault)
            {
                return $"pg_restore cannot read it: {fault}";
            }

            var result = await PostgresPrograms.Run(pgRestore,
                [.. RestoreArguments(manifest.OwnSchema), .. list.Argument is { } argument ? [argument] : Array.Empty<string>(), path],
                new Dictionary<string, string?>(), null, read, ct, IdleTimeout);
            return result.Exit == 0 ? null : $"pg_restore cannot read it: {result.ErrorMessage}";
        }
        catch (TimeoutException)
        {
            return $"pg_restore produced no output for {IdleTimeout.TotalSeconds:0} s";
        }
    }

    private static BackupException LockTimeout(TimeSpan wait, Exception? cause) => new(ExitCode.LockNotObtained, "lock_not_obtained",
        string.Create(
            CultureInfo.InvariantCulture,
            $"A table was locked by another session for {wait.TotalSeconds:0.###} s, so no backup was created. Try again later, "
                + $"or wait longer with --lock-wait."), cause);
}
