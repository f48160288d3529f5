using System.Globalization;
using System.Text;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Backup;

/// <summary>Backups of Postgres: written by pg_dump, read by pg_restore, restored by psql in one transaction.</summary>
internal static class PostgresArchive
{
    // A length with its sign flipped has pg_restore go back and forth in the file for ever.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    /// <summary>Writes a dump and what its manifest says of the database.</summary>
    /// <param name="database">The database.</param>
    /// <param name="path">A file that does not exist, or is empty.</param>
    /// <param name="wishes">What kind of dump.</param>
    /// <param name="ct">Kills pg_dump.</param>
    public static async Task<(DatabaseContents Contents, string? PgDumpVersion, IReadOnlyList<string> Excluded, IReadOnlyList<string>? LeftOut)> Write(MigrationDatabase database, string path, BackupOptions wishes, CancellationToken ct)
    {
        var pgDump = PostgresClient.Find("pg_dump");
        var (version, major) = await PostgresClient.Version(pgDump, ct);
        await using var snapshot = await PostgresSnapshot.Take(database, wishes.LockWait, ct);
        if (major < snapshot.Major)
        {
            throw new BackupException(ExitCode.Failed, "client_too_old",
                $"{pgDump} is version {version} and the server is {snapshot.Major}: a dump by an older pg_dump may be incomplete. Install postgresql-client-{snapshot.Major} or newer, or set PG_BIN to its folder.");
        }

        if (snapshot.Hidden.Count > 0)
        {
            throw new BackupException(ExitCode.Failed, "rows_hidden",
                $"Row-level security hides rows of {string.Join(", ", snapshot.Hidden)} from this role, and the backup would lack them. Give it `bypassrls` (alter role NAME bypassrls), or set DATAXPIPE_MIGRATIONS_DB to an address of a role that has it.");
        }

        DatabaseContents contents;
        try
        {
            contents = await snapshot.Contents(database, ct);
        }
        catch (Exception exception) when (exception is System.Data.Common.DbException { SqlState: "55P03" })
        {
            throw Locked(wishes.LockWait, exception);
        }

        // A table of a newer build would be missing without a word.
        if (contents.Revision != Chain.Base && Chain.BuiltIn(database.Dialect.Folder).Scripts.All(script => script.Revision != contents.Revision))
        {
            throw new BackupException(ExitCode.Drift, "newer_schema", $"The database is at {contents.Revision}, which this build does not know, and its backup might lack tables. Back it up with the build that upgraded it, or a later one.");
        }

        async Task Dump(string? file, Func<Stream, Task>? drain, int compress, params string[] sections)
        {
            var result = await PostgresClient.Run(pgDump,
            [
                .. Belonging(database.Settings.Schema, snapshot.Tables), "--format=custom", "--no-password", "--encoding=UTF8", $"--snapshot={snapshot.Id}",
                string.Create(CultureInfo.InvariantCulture, $"--lock-wait-timeout={(long)wishes.LockWait.TotalMilliseconds}"),
                .. wishes.SchemaOnly ? ["--schema-only"] : Array.Empty<string>(), $"--compress={compress}", .. sections, .. file is null ? Array.Empty<string>() : [$"--file={file}"],
            ], snapshot.Environment, null, drain, ct);
            if (result.Exit != 0)
            {
                throw result.Complaint.Contains("lock timeout", StringComparison.Ordinal) || result.Errors.Any(line => line.Contains("lock timeout", StringComparison.Ordinal))
                    ? Locked(wishes.LockWait, null)
                    : new BackupException(ExitCode.Failed, "dump_failed", $"pg_dump failed, and no backup was made: {result.Complaint}");
            }
        }

        if (wishes.Format == "custom")
        {
            await Dump(path, null, wishes.Level ?? 0);
        }
        else
        {
            await Plain(Dump, database.Settings.Schema, path, wishes.Level, snapshot.LeftOut, ct);
        }

        return (contents, version, [.. wishes.SchemaOnly ? ["the rows of every table, the journal's among them"] : Array.Empty<string>(), .. snapshot.Excluded], snapshot.LeftOut);
    }

    // What belongs to a backup: the Catalog's own tables with what lies on them and restores anywhere. What others have in the same schema
    // is theirs to keep; extensions, other schemas, publications and event triggers are of the database, and only its administrator could
    // make them again; owners, grants and tablespaces are of the place. What the service's role may do is granted by `restore` and `upgrade`.
    private static IEnumerable<string> Belonging(string schema, IReadOnlyList<string> tables) =>
    [
        .. tables.Count > 0 ? tables.Select(table => $"--table=\"{schema}\".\"{table}\"") : [$"--schema=\"{schema}\"", "--exclude-table=*", "--section=data"],
        "--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications", "--no-subscriptions", "--no-security-labels", "--no-comments",
    ];

    // A dump that comes through a pipe cannot be read twice, first for what is in it. What is left out is at its end, so that this comes as a file.
    private static async Task Plain(Func<string?, Func<Stream, Task>?, int, string[], Task> dump, string schema, string path, int? level, IReadOnlyList<string> leftOut, CancellationToken ct)
    {
        await using var file = Gzip.Write(path, level);
        await dump(null, archive => Script([], archive), 0, leftOut.Count > 0 ? ["--section=pre-data", "--section=data"] : []);
        if (leftOut.Count > 0)
        {
            using var folder = new TemporaryFolder();
            var rest = Path.Combine(folder.Path, "rest");
            await dump(rest, null, 0, ["--section=post-data"]);
            await Script([await Chosen(rest, leftOut, folder, ct), rest], null);
        }

        async Task Script(string[] of, Stream? archive)
        {
            var result = await PostgresClient.Run(PostgresClient.Find("pg_restore"), Reading(schema).Concat(of), new Dictionary<string, string?>(),
                archive is null ? null : input => archive.CopyToAsync(input, ct), script => script.CopyToAsync(file, ct), ct);
            // Or pg_dump would wait for somebody to read the rest.
            await (archive?.CopyToAsync(Stream.Null, ct) ?? Task.CompletedTask);
            if (result.Exit != 0)
            {
                throw BackupException.Damaged($"The dump did not come out well, and no backup was made: pg_restore cannot read it: {result.Complaint}.");
            }
        }
    }

    // The argument that has pg_restore read all of an archive but what is left out.
    private static async Task<string> Chosen(string path, IReadOnlyList<string> leftOut, TemporaryFolder folder, CancellationToken ct)
    {
        var list = "";
        var result = await PostgresClient.Run(PostgresClient.Find("pg_restore"), ["--list", path], new Dictionary<string, string?>(), null, async output =>
        {
            using var reader = new StreamReader(output);
            list = await reader.ReadToEndAsync(ct);
        }, ct, Silence);
        if (result.Exit != 0)
        {
            throw BackupException.Damaged($"{Path.GetFileName(path)} is damaged: pg_restore cannot read it: {result.Complaint}.");
        }

        var file = Path.Combine(folder.Path, "list");
        // A line is `NUMBER; KIND ITSELF WORDS`.
        await File.WriteAllLinesAsync(file, list.Split('\n').Where(line => !leftOut.Any(one => line.Contains($"; {one} ", StringComparison.Ordinal))), ct);
        return $"--use-list={file}";
    }

    private static IEnumerable<string> Reading(string schema) => ["--file=-", $"--schema={schema}", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications", "--no-security-labels"];

    /// <summary>Reads a dump to its end as SQL: what is in the Catalog's schema, whatever else an older backup holds.</summary>
    /// <returns>Null, or why it cannot be read.</returns>
    public static async Task<string?> Read(string path, Manifest manifest, Func<Stream, Task> read, CancellationToken ct)
    {
        if (manifest.Format == "plain")
        {
            await using var script = Gzip.Read(path, manifest.Compression == "gzip");
            await read(script);
            return null;
        }

        var pgRestore = PostgresClient.Find("pg_restore");
        var (version, major) = await PostgresClient.Version(pgRestore, ct);
        if (manifest.PgDumpVersion is { } dumped && int.TryParse(dumped.Split('.')[0], CultureInfo.InvariantCulture, out var needed) && major < needed)
        {
            throw new BackupException(ExitCode.Failed, "client_too_old",
                $"{pgRestore} is version {version} and the backup was written by {dumped}: install postgresql-client-{needed} or newer, or set PG_BIN to its folder.");
        }

        try
        {
            using var folder = new TemporaryFolder();
            string[] chosen = manifest.LeftOut is { Count: > 0 } leftOut ? [await Chosen(path, leftOut, folder, ct)] : [];
            var result = await PostgresClient.Run(pgRestore, [.. Reading(manifest.OwnSchema), .. chosen, path], new Dictionary<string, string?>(), null, read, ct, Silence);
            return result.Exit == 0 ? null : $"pg_restore cannot read it: {result.Complaint}";
        }
        catch (TimeoutException)
        {
            return $"pg_restore wrote nothing for {Silence.TotalSeconds:0} s";
        }
    }

    /// <summary>Restores in one transaction, which is committed only when rows, schema and journal are the manifest's.</summary>
    /// <param name="database">The target.</param>
    /// <param name="path">A backup that was found good.</param>
    /// <param name="manifest">What it should be.</param>
    /// <param name="mayClear">Asked when the target is not empty, with what is there; returns when that may be taken away, otherwise throws.</param>
    /// <param name="ct">Kills psql, and the transaction is undone.</param>
    public static Task Restore(MigrationDatabase database, string path, Manifest manifest, Func<string, IReadOnlyList<string>, Task> mayClear, CancellationToken ct)
    {
        var chain = Chain.BuiltIn(database.Dialect.Folder);
        var psql = PostgresClient.Find("psql");
        return new Migrator(database, chain, TimeProvider.System).RunExclusive(async connection =>
        {
            var occupants = await PostgresRestore.Occupants(connection, ct);
            if (occupants.Count > 0)
            {
                await mayClear(connection.Database, occupants);
            }

            string? unreadable = null;
            var journal = manifest.SchemaOnly || manifest.SchemaRevision == Chain.Base ? null : manifest.SchemaRevision;
            var receipt = Guid.NewGuid();
            var said = "";
            string closing;
            try
            {
                closing = PostgresRestore.Closing(database.Settings.Schema, manifest.OwnRows, manifest.SchemaFingerprint, journal, manifest.LeftOut is null, receipt);
            }
            catch (FormatException exception)
            {
                throw BackupException.Damaged($"The manifest cannot be right: {exception.Message}");
            }

            var opening = await PostgresRestore.Opening(connection, database.Settings.Schema, occupants.Count > 0, ct);
            var result = await PostgresClient.Run(psql, ["--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-"],
                PostgresClientAddress.EnvironmentVariables(database.Settings, connection), async input =>
                {
                    await input.WriteAsync(Encoding.UTF8.GetBytes(opening), ct);
                    unreadable = await Read(path, manifest, script => script.CopyToAsync(input, ct), ct);
                    if (unreadable is null)
                    {
                        await input.WriteAsync(Encoding.UTF8.GetBytes(closing), ct);
                        await input.FlushAsync(ct);
                    }
                }, async output =>
                {
                    using var reader = new StreamReader(output);
                    while (await reader.ReadLineAsync(ct) is { } line)
                    {
                        said = line.Length > 0 ? line.Trim() : said;
                    }
                }, ct);
            if (unreadable is not null)
            {
                throw BackupException.Damaged($"{manifest.File} is damaged, and the database is as it was: {unreadable}.");
            }

            return result.Exit != 0 ? throw Failure(manifest, result)
                : said == receipt.ToString() ? true
                : throw BackupException.Damaged($"{manifest.File} is no whole script, and the database is as it was: its commit was never reached.");
        }, ct);
    }

    private static BackupException Failure(Manifest manifest, ProgramResult result)
    {
        var complaint = result.Complaint;
        var at = complaint.IndexOf(PostgresRestore.Mismatch, StringComparison.Ordinal);
        if (at >= 0)
        {
            return BackupException.Damaged($"{manifest.File} is not what its manifest says, and the database is as it was: {complaint[(at + PostgresRestore.Mismatch.Length)..]}.");
        }

        var advice = complaint.Contains("type \"", StringComparison.Ordinal) && complaint.Contains("does not exist", StringComparison.Ordinal)
                ? " Others gave a column of the Catalog's tables that type: create its extension, or the type, in the target first."
            : complaint.Contains("role \"", StringComparison.Ordinal) && complaint.Contains("does not exist", StringComparison.Ordinal) ? " Policies name that role: create it first."
            : complaint.Contains("extension", StringComparison.Ordinal) && manifest.Schema is null
                ? " An earlier build wrote this script, with the database's extensions in it: restore it as a superuser, then take another backup."
            : complaint.Contains("\\restrict", StringComparison.Ordinal) ? " psql is older than the pg_dump that wrote the backup: update PostgreSQL's client programs."
            : "";
        return new(ExitCode.Failed, "restore_failed", $"The restore failed, and the database is as it was: {complaint}.{advice}");
    }

    private static BackupException Locked(TimeSpan wait, Exception? cause) => new(ExitCode.Failed, "lock_not_obtained",
        string.Create(CultureInfo.InvariantCulture, $"A table was locked by others for {wait.TotalSeconds:0.###} s, and no backup was made. Run it again when they are done, or wait longer with --lock-wait."), cause);
}
