using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Data.Migrations.Postgres;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Backup;

/// <summary>
/// Restores a backup of Postgres with psql, in one transaction. The SQL before the dump begins the transaction. The SQL
/// after the dump commits it, but only if the row counts, the schema and the journal match the manifest. If the dump is
/// truncated, psql never reaches the commit.
/// </summary>
internal static partial class PostgresRestore
{
    /// <summary>Prefix of the server's error message when the restored data differs from the manifest.</summary>
    public const string Mismatch = "backup mismatch: ";

    /// <summary>
    /// Restores in one transaction, which commits only if rows, schema and journal match the manifest.
    /// </summary>
    /// <param name="database">The target.</param>
    /// <param name="path">A backup that has been checked.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="confirmReplace">Called with the target's name and its tables if the target is not empty. If it
    /// throws, the tables stay unchanged.</param>
    /// <param name="ct">Cancels the restore: kills psql, and the server rolls back the transaction.</param>
    public static Task Run(MigrationDatabase database, string path, Manifest manifest, Func<string, IReadOnlyList<string>,
        Task> confirmReplace, CancellationToken ct)
    {
        var chain = Chain.BuiltIn(database.Dialect.Folder);
        var psql = PostgresPrograms.Find("psql");
        return new Migrator(database, chain, TimeProvider.System).RunExclusive(async connection =>
        {
            var existing = await ExistingTables(connection, ct);
            if (existing.Count > 0)
            {
                await confirmReplace(connection.Database, existing);
            }

            string? readError = null;
            var journal = manifest.SchemaOnly || manifest.SchemaRevision == Chain.Base ? null : manifest.SchemaRevision;
            var commitMarker = Guid.NewGuid();
            var lastLine = "";
            string epilogue;
            try
            {
                epilogue = Epilogue(database.Settings.Schema, manifest.OwnRows, manifest.SchemaFingerprint, journal,
                    manifest.LeftOut is null, commitMarker);
            }
            catch (FormatException exception)
            {
                throw BackupException.Damaged($"The manifest is invalid: {exception.Message} Use another backup.");
            }

            var prologue = await Prologue(connection, database.Settings.Schema, existing.Count > 0, ct);
            var result = await PostgresPrograms.Run(
                psql, ["--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse",
                    "--file=-"],
                LibpqEnvironment.EnvironmentVariables(database.Settings, connection), async input =>
                {
                    await input.WriteAsync(Encoding.UTF8.GetBytes(prologue), ct);
                    var server = ((NpgsqlConnection)connection).PostgreSqlVersion.Major;
                    readError = await PostgresArchive.Read(path, manifest, script => CopyScript(script, input, server, ct), ct);
                    if (readError is null)
                    {
                        await input.WriteAsync(Encoding.UTF8.GetBytes(epilogue), ct);
                        await input.FlushAsync(ct);
                    }
                }, async output =>
                {
                    using var reader = new StreamReader(output);
                    while (await reader.ReadLineAsync(ct) is { } line)
                    {
                        lastLine = line.Length > 0 ? line.Trim() : lastLine;
                    }
                }, ct);
            if (readError is not null)
            {
                throw BackupException.Damaged($"{manifest.File} is damaged, and the database is unchanged: {readError}. Use another backup.");
            }

            return result.Exit != 0 ? throw RestoreFailed(manifest, result)
                : lastLine == commitMarker.ToString() ? true
                : throw BackupException.Damaged(
                    $"{manifest.File} is not a complete script, and the database is unchanged: psql did not reach the commit. Use "
                        + "another backup.");
        }, ct);
    }

    // pg_dump and pg_restore 17 can be used with earlier servers. But they set a parameter that these servers do not
    // have, so that line is removed.
    private static async Task CopyScript(Stream script, Stream input, int serverMajor, CancellationToken ct)
    {
        var head = new byte[8192];
        var length = await script.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct);
        var setting = "\nSET transaction_timeout = 0;\n"u8;
        var at = serverMajor < 17 ? head.AsSpan(0, length).IndexOf(setting) : -1;
        if (at >= 0)
        {
            head.AsSpan(at, setting.Length - 1).Fill((byte)'\n');
        }

        await input.WriteAsync(head.AsMemory(0, length), ct);
        await script.CopyToAsync(input, ct);
    }

    private static BackupException RestoreFailed(Manifest manifest, ProgramResult result)
    {
        var error = result.ErrorMessage;
        var at = error.IndexOf(Mismatch, StringComparison.Ordinal);
        if (at >= 0)
        {
            return BackupException.Damaged(
                $"{manifest.File} differs from its manifest, and the database is unchanged: "
                    + $"{error[(at + Mismatch.Length)..]}. Use another backup.");
        }

        var advice = manifest.Requires is { Count: > 0 } requires ? $" {RequirementsText(requires)}"
            : error.Contains("type \"", StringComparison.Ordinal) && error.Contains("does not exist", StringComparison.Ordinal)
                ? " A column that the scripts did not create uses that type: create the type or its extension in the target first."
            : error.Contains("role \"", StringComparison.Ordinal) && error.Contains("does not exist", StringComparison.Ordinal)
            ? " Policies use that role: create it first."
            : error.Contains("extension", StringComparison.Ordinal) && manifest.Schema is null
                ? " An old build wrote this script, which also contains the database's extensions: restore it as a superuser, then "
                    + "take a new backup."
            : error.Contains("\\restrict", StringComparison.Ordinal)
            ? " psql is older than the pg_dump that wrote the backup: update PostgreSQL's client programs."
            : "";
        return new(ExitCode.Failed, "restore_failed", $"The restore failed, and the database is unchanged: {error}.{advice}");
    }

    /// <summary>
    /// Returns a text that names the objects that the target needs before a restore, and says what to do.
    /// </summary>
    public static string RequirementsText(IReadOnlyList<string> requires) =>
        "Columns or constraints that others added to the Catalog's tables need these objects of this database: "
        + $"{string.Join("; ", requires)}. Create them in the target before the restore, or remove what needs them and take a new "
        + "backup.";

    /// <summary>
    /// Returns the names of the existing tables of the Catalog and the migrator. Other tables do not matter for a
    /// restore.
    /// </summary>
    public static async Task<IReadOnlyList<string>> ExistingTables(DbConnection connection, CancellationToken ct)
    {
        const string Sql = $"""
            -- PostgresRestore.ExistingTables
            select c.oid::regclass::text from pg_class c where c.oid in ({PostgresOwnObjects.TableOids}) order by 1
            """;

        return (await connection.QueryAsync<string>(new CommandDefinition(Sql, cancellationToken: ct))).AsList();
    }

    /// <summary>Returns the SQL before the dump.</summary>
    /// <param name="connection">An open connection to the target.</param>
    /// <param name="schema">The Catalog's schema; created in the same transaction if missing.</param>
    /// <param name="dropExisting">True to drop the Catalog's tables first, in the same transaction.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <exception cref="MigrationException">The role lacks the privilege to create the schema or objects in it.</exception>
    public static async Task<string> Prologue(DbConnection connection, string schema, bool dropExisting, CancellationToken ct)
    {
        var create = await PostgresSchema.CreationSql(connection, schema, ct) is { } statement ? statement + ";\n" : "";
        return $"set client_min_messages = warning;\nset search_path = \"{schema}\";\nbegin;\n{create}{(dropExisting ? DropExisting : "")}";
    }

    /// <summary>Returns the SQL after the dump: compares with the manifest, then commits.</summary>
    /// <param name="schema">The Catalog's schema.</param>
    /// <param name="rows">See <see cref="DatabaseContents.Rows"/>.</param>
    /// <param name="fingerprint">See <see cref="DatabaseContents.Fingerprint"/>.</param>
    /// <param name="revision">The newest revision in the journal; null if the dump contains no journal rows.</param>
    /// <param name="wholeSchema">True if the fingerprint covers all objects in the schema, as in manifests by old
    /// builds.</param>
    /// <param name="commitMarker">psql prints this value after the commit. The exit code of psql is not enough, because
    /// it is also 0 if the dump ends psql early.</param>
    /// <exception cref="FormatException">A table's name or the fingerprint is invalid.</exception>
    public static string Epilogue(string schema, IReadOnlyDictionary<string, long> rows, string fingerprint, string? revision,
        bool wholeSchema, Guid commitMarker)
    {
        if (rows.Keys.FirstOrDefault(table => !TableName().IsMatch(table)) is { } invalid)
        {
            throw new FormatException($"{invalid} is not a table name.");
        }

        if (!Hash().IsMatch(fingerprint))
        {
            throw new FormatException("the schema's fingerprint is not a SHA-256.");
        }

        // The dollar-quote tag is random, so that no table name in the manifest can end the quoted text.
        var tag = $"$check_{Guid.NewGuid():N}$";
        var text = new StringBuilder($"set local search_path = \"{schema}\";\ndo {tag}\ndeclare\n    present bigint;\nbegin\n");
        foreach (var (table, count) in rows)
        {
            var quoted = table.Replace("'", "''", StringComparison.Ordinal);
            text.Append(CultureInfo.InvariantCulture,
                $"    if to_regclass('{quoted}') is null then raise exception '{Mismatch}table % is missing', '{quoted}'; end if;\n");
            text.Append(CultureInfo.InvariantCulture, $"    select count(*) into present from {table};\n");
            text.Append(
                CultureInfo.InvariantCulture,
                $"    if present <> {count} then raise exception '{Mismatch}table % has % rows, the manifest says {count}', "
                    + $"'{quoted}', present; end if;\n");
        }

        if (revision is not null)
        {
            var quoted = revision.Replace("'", "''", StringComparison.Ordinal);
            text.Append(
                CultureInfo.InvariantCulture,
                $"    if (select max(scriptname collate \"C\") from schemaversions) is distinct from '{quoted}.sql' then raise exception "
                + $"'{Mismatch}the journal does not end at {quoted.Replace("%", "%%", StringComparison.Ordinal)}'; end if;\n");
        }

        // The target can contain other objects. So a fingerprint of the whole schema is accepted if it matches the
        // description of the Catalog's objects or that of the whole schema.
        string[] descriptions = wholeSchema ? [PostgresSchemaReader.Own, PostgresSchemaReader.Sql] : [PostgresSchemaReader.Own];
        text.Append(
            CultureInfo.InvariantCulture, $"    if '{fingerprint}' not in ({string.Join(", ", descriptions.Select(HashOf))}) then\n");
        text.Append(
            CultureInfo.InvariantCulture,
            $"        raise exception '{Mismatch}its schema does not match the fingerprint in the manifest';\n    end if;\nend "
                + $"{tag};\ncommit;\nselect '{commitMarker}';\n");
        return text.ToString();
    }

    private static string HashOf(string description) =>
        "(select encode(sha256(convert_to(coalesce(string_agg(line, E'\\n' order by line collate \"C\"), ''), 'UTF8')), 'hex') from "
            + $"(\n{description}\n) as described(line))";

    // This drops without `cascade`: dependent objects of others are in no backup and must not be dropped silently.
    private const string DropExisting = $"""
        do $dropExisting$
        declare
            dependents text;
        begin
            execute (select 'drop table ' || string_agg(c.oid::regclass::text, ', ') from pg_class c
                where c.oid in ({PostgresOwnObjects.TableOids}));
        exception when dependent_objects_still_exist then
            get stacked diagnostics dependents = pg_exception_detail;
            raise exception 'other objects depend on the tables to drop: %. Drop these objects first', replace(dependents, E'\n', '; ');
        end $dropExisting$;

        """;

    [GeneratedRegex("^(([a-z_][a-z0-9_$]*|\"([^\"\0]|\"\")+\")\\.)?([a-z_][a-z0-9_$]*|\"([^\"\0]|\"\")+\")\\z")]
    private static partial Regex TableName();

    [GeneratedRegex("^[0-9a-f]{64}\\z")]
    private static partial Regex Hash();
}
