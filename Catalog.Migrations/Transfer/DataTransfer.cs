using System.Data.Common;
using System.Diagnostics;
using System.Security.Cryptography;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Migrations.Sqlite;
using Dapper;

namespace Catalog.Migrations.Transfer;

/// <summary>
/// Moves every row of a SQLite file into the tables of a Postgres database at the same revision. Both engines sort keys alike, so
/// what an interrupted transfer left is a prefix of the source's rows, and the next one goes on behind it.
/// </summary>
/// <param name="source">The SQLite file; only read.</param>
/// <param name="target">The Postgres database.</param>
/// <param name="chains">The scripts for the source and for the target.</param>
/// <param name="patience">How long to wait for another migrator.</param>
public sealed class DataTransfer(DatabaseSettings source, MigrationDatabase target, (Chain Source, Chain Target) chains, TimeSpan patience)
{
    /// <summary>The most findings that are kept; more are only counted.</summary>
    public const int ListedAtMost = 100_000;

    private const int BatchRows = 50_000;
    private const int BatchBytes = 16 * 1024 * 1024;
    private const int Chunk = 256 * 1024;

    /// <summary>Told of what happens, often; null: nobody is.</summary>
    public Action<TransferStep>? Progress { get; init; }

    /// <summary>Told who is waited for; null: nobody is.</summary>
    public Action<string>? Waiting { get; init; }

    /// <summary>The sealing key that the environment holds; null: the one in the file beside the source is looked at.</summary>
    public byte[]? SecretKey { get; init; }

    /// <summary>Looks at everything, and when nothing stands against it, loads what is not there yet and compares.</summary>
    /// <param name="dryRun">Looks only.</param>
    /// <param name="ct">Stops; what was loaded stays, and the next transfer goes on behind it.</param>
    /// <exception cref="MigrationException">The databases do not fit together, or the target holds other rows.</exception>
    public async Task<TransferReport> Run(bool dryRun, CancellationToken ct)
    {
        try
        {
            using var snapshot = SqliteSnapshot.Take(source.SqlitePath!);
            return await snapshot.Encoding(ct) is "UTF-8" ? await Run(snapshot, dryRun, ct)
                : throw Unusable("its texts are kept as UTF-16. Copy it with `sqlite3 OLD .dump | sqlite3 NEW` first.");
        }
        catch (DbException exception) when (SqliteSnapshot.WhyUnusable(exception) is { } why)
        {
            throw Unusable(why, exception);
        }
    }

    private async Task<TransferReport> Run(SqliteSnapshot snapshot, bool dryRun, CancellationToken ct)
    {
        var standing = await SchemaStatus.Read(snapshot.Connection, new SqliteSchemaDialect(), chains.Source, ct);
        Refuse(standing);
        var limits = new MigrationLimits { MaxWait = patience, StatementTimeout = TimeSpan.Zero, LockTimeout = TimeSpan.FromSeconds(30) };
        var migrator = new Migrator(target, chains.Target, TimeProvider.System, limits) { Progress = step => Waiting?.Invoke(step.Description) };
        return await migrator.RunLocked(async (connection, into) =>
        {
            Refuse(standing, into);
            var postgres = new PostgresTarget(connection);
            await postgres.Begin(ct);
            return await Run(snapshot, postgres, standing.Current, dryRun, ct);
        }, ct);
    }

    private async Task<TransferReport> Run(SqliteSnapshot snapshot, PostgresTarget postgres, string revision, bool dryRun, CancellationToken ct)
    {
        var tables = LoadOrder.Of(Match(await snapshot.Tables(ct), await postgres.Tables(ct)));
        var found = new List<TransferFinding>();
        var count = 0L;
        void List(TransferFinding finding)
        {
            if (count++ < ListedAtMost)
            {
                found.Add(finding);
            }
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var damage = Task.Run(() => snapshot.Damage(stop.Token), CancellationToken.None);
        var results = new List<TransferredTable>();
        try
        {
            var preflight = new Preflight(snapshot, postgres, step => Progress?.Invoke(step), List);
            foreach (var table in tables)
            {
                var total = await snapshot.Count(table.Name, ct);
                var (rows, hash) = await preflight.Look(table, total, ct);
                if (rows != total)
                {
                    throw Damaged($"table {table.Name} holds {total} rows, and its key finds {rows}");
                }

                results.Add(new(table.Name, rows, 0, 0, 0, hash, null));
            }

            foreach (var (table, rowId, parent) in await snapshot.Dangling(ct))
            {
                List(new(table, "", rowId, null, null, $"refers to a row of {parent} that is not there"));
            }

            if (await damage is { Count: > 0 } lines)
            {
                throw Damaged(lines[0]);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await damage.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        var report = new TransferReport
        {
            Revision = revision,
            Tables = results,
            Findings = count,
            Listed = found,
            Differences = [],
            // A chain of scripts given by --scripts may be another's.
            Secrets = tables.Any(table => table.Name == "connections") ? await Secrets(snapshot.Connection, ct) : null,
        };
        if (count > 0)
        {
            return report;
        }

        for (var i = 0; i < tables.Count; i++)
        {
            results[i] = await Present(snapshot, postgres, tables[i], results[i], ct);
        }

        if (dryRun)
        {
            return report;
        }

        var loaded = new HashSet<string>(StringComparer.Ordinal);
        await postgres.WaitForDisk(false, ct);
        for (var i = 0; i < tables.Count; i++)
        {
            if (results[i].Present < results[i].Rows)
            {
                loaded.Add(tables[i].Name);
                results[i] = Load(snapshot, postgres, tables[i], results[i], ct);
            }
        }

        // The next commit takes all before it to the disk.
        await postgres.WaitForDisk(true, ct);
        var differences = new List<Difference>();
        for (var i = 0; i < tables.Count; i++)
        {
            // Also where nothing was loaded now: the transfer that loaded it may have been killed before this.
            await postgres.Finish(tables[i], ct);
            if (results[i].TargetHash is null || loaded.Contains(tables[i].Name))
            {
                results[i] = results[i] with { TargetHash = Hash(postgres, tables[i], results[i].Rows, ct) };
            }

            if (results[i].TargetHash != results[i].SourceHash && Compare(snapshot, postgres, tables[i], results[i].Rows, ct).First is { } difference)
            {
                differences.Add(difference);
            }
        }

        return report with { Differences = differences };
    }

    private static MigrationException Unusable(string why, Exception? cause = null) => new(MigrationFault.SourceUnusable, $"The source: {why}", cause);

    private static void Refuse(SchemaStatus standing)
    {
        if (standing.Faults is [var fault, ..])
        {
            throw new MigrationException(fault.Fault, $"The source: {fault.Message}");
        }

        if (standing.Position == 0)
        {
            throw new MigrationException(MigrationFault.RevisionsDiffer, "The source holds no Catalog: it has had no script. Name the file that the service used.");
        }
    }

    private static void Refuse(SchemaStatus from, SchemaStatus to)
    {
        if (to.HalfApplied is [var half, ..])
        {
            throw new MigrationException(MigrationFault.HalfApplied, $"The target: {half.Revision} was begun and has not been seen to end. Run `catalog-migrations upgrade` on it first.");
        }

        if (from.Current != to.Current)
        {
            throw new MigrationException(MigrationFault.RevisionsDiffer, string.CompareOrdinal(from.Current, to.Current) > 0 || to.Position == 0
                ? $"The source is at {from.Current} and the target at {to.Current}: run `catalog-migrations upgrade {from.Current}` on the target first."
                : $"The source is at {from.Current} and the target at {to.Current}: run `catalog-migrations upgrade {to.Current}` on the source first, with DATAXPIPE_DB naming its file and DATAXPIPE_MIGRATIONS_DB unset.");
        }
    }

    private static MigrationException Damaged(string how) => Unusable($"it is damaged: {how}. Nothing was written. Restore a backup, or mend the file with `sqlite3 OLD .recover | sqlite3 NEW`.");

    // Every table of the source, in the target, with the same columns and the same key.
    private static List<TransferTable> Match(IReadOnlyList<(string Table, IReadOnlyList<string> Columns, IReadOnlyList<string> Key)> from, IReadOnlyList<TransferTable> to)
    {
        static MigrationException Refusal(string message) => new(MigrationFault.NotMovable, message + " Run `catalog-migrations verify` on both.");
        return [.. from.Select(table =>
        {
            var (name, columns, key) = table;
            var into = to.FirstOrDefault(other => other.Name == name) ?? throw Refusal($"The target has no table {name}.");
            var names = into.Columns.Select(column => column.Name).ToList();
            if (columns.Except(names, StringComparer.Ordinal).Concat(names.Except(columns, StringComparer.Ordinal)).FirstOrDefault() is { } lone)
            {
                throw Refusal($"Table {name} has column {lone} in the {(columns.Contains(lone) ? "source" : "target")} only.");
            }

            return key.Count > 0 && key.SequenceEqual(into.Key.Select(place => names[place]), StringComparer.Ordinal)
                ? into
                : throw Refusal($"Table {name} has no primary key, or not the same one in both databases.");
        })];
    }

    // How many of the source's first rows the target holds already.
    private async Task<TransferredTable> Present(SqliteSnapshot snapshot, PostgresTarget postgres, TransferTable table, TransferredTable result, CancellationToken ct)
    {
        if (await postgres.Count(table, ct) == 0)
        {
            return result.Rows == 0 ? result with { TargetHash = result.SourceHash } : result;
        }

        var (same, ended, hash, first) = Compare(snapshot, postgres, table, result.Rows, ct);
        return ended
            ? result with { Present = same, TargetHash = same == result.Rows ? hash : null }
            : throw new MigrationException(MigrationFault.NotEmpty,
                $"The target's table {table.Name} holds rows that are not the first of the source's: {first!.What}, key {first.Key}. Nothing was written. Name an empty database.");
    }

    private TransferredTable Load(SqliteSnapshot snapshot, PostgresTarget postgres, TransferTable table, TransferredTable result, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        using var rows = snapshot.Rows(table);
        for (var skipped = 0L; skipped < result.Present; skipped++)
        {
            rows.Read();
        }

        var encoder = new RowEncoder(table);
        var done = result.Present;
        for (var more = rows.Read(); more;)
        {
            using var copy = postgres.CopyIn(table);
            var bytes = 0L;
            void Send()
            {
                copy.Write(encoder.Rows.Written);
                bytes += encoder.Rows.Length;
                encoder.Rows.Truncate(0);
            }

            for (var count = 0; more && count < BatchRows && bytes < BatchBytes; count++, more = rows.Read())
            {
                if (!encoder.Append(rows))
                {
                    throw new InvalidOperationException("A value that had been looked at could not be encoded.");
                }

                if (encoder.Rows.Length >= Chunk)
                {
                    ct.ThrowIfCancellationRequested();
                    Send();
                }

                if (++done % 1024 == 0)
                {
                    Progress?.Invoke(new("copying", table.Name, done, result.Rows));
                }
            }

            Send();
            copy.Complete();
        }

        Progress?.Invoke(new("copying", table.Name, done, result.Rows));
        return result with { Copied = done - result.Present, Seconds = clock.Elapsed.TotalSeconds };
    }

    private string Hash(PostgresTarget postgres, TransferTable table, long total, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var rows = postgres.CopyOut(table);
        var done = 0L;
        while (rows.Read())
        {
            hash.AppendData(rows.Row);
            if (++done % 1024 == 0)
            {
                ct.ThrowIfCancellationRequested();
                Progress?.Invoke(new("verifying", table.Name, done, total));
            }
        }

        Progress?.Invoke(new("verifying", table.Name, done, total));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // Row by row in the order of the key, up to the first that is not the same. Ended: the target holds nothing beyond the same rows.
    private (long Same, bool Ended, string Hash, Difference? First) Compare(SqliteSnapshot snapshot, PostgresTarget postgres, TransferTable table, long total, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var here = snapshot.Rows(table);
        using var there = postgres.CopyOut(table);
        var encoder = new RowEncoder(table);
        Difference Differs(ReadOnlySpan<byte> row, string what) => new(table.Name, RowEncoder.KeyText(table, row), what);
        for (var same = 0L; ; same++)
        {
            encoder.Rows.Truncate(0);
            var source = here.Read();
            if (source && !encoder.Append(here))
            {
                throw new InvalidOperationException("A value that had been looked at could not be encoded.");
            }

            if (!there.Read())
            {
                return (same, true, Convert.ToHexStringLower(hash.GetHashAndReset()), source ? Differs(encoder.Last, "a row is missing in the target") : null);
            }

            if (!source || !there.Row.SequenceEqual(encoder.Last))
            {
                return (same, false, "", Differs(there.Row, !source ? "a row is in the target only" : "the next row is another one, or has other values"));
            }

            hash.AppendData(there.Row);
            if (same % 1024 == 0)
            {
                ct.ThrowIfCancellationRequested();
                Progress?.Invoke(new("comparing", table.Name, same, total));
            }
        }
    }

    private async Task<SealedSecrets?> Secrets(DbConnection snapshot, CancellationToken ct)
    {
        const string Sql = """
            -- DataTransfer.Secrets
            select organization_id, id, secrets from connections where secrets is not null
            """;

        var file = Data.Connections.SecretKey.FileBeside(source.SqlitePath!);
        var key = SecretKey ?? (File.Exists(file) ? await Data.Connections.SecretKey.Read(file, ct) : null);
        var box = new SecretBox(key);
        var (count, opened) = (0L, 0L);
        foreach (var (organization, id, secrets) in snapshot.Query<(string, string, byte[])>(Sql, buffered: false))
        {
            count++;
            opened += box.Open(organization, id, secrets) is null ? 0 : 1;
        }

        return count == 0 ? null : new(count, opened, SecretKey is null && key is not null ? file : null, SecretKey is not null);
    }
}
