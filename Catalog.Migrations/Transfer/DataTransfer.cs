using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Data.Migrations.Sqlite;

namespace Catalog.Migrations.Transfer;

/// <summary>
/// Copies every row of a SQLite file into the tables of a Postgres database at the same revision. Rows are read in the
/// order of their keys, which is the same in both engines. So an interrupted transfer has loaded the first rows of the
/// source, and the next transfer continues after them.
/// </summary>
/// <param name="source">The SQLite file; it is not changed.</param>
/// <param name="target">The Postgres database.</param>
/// <param name="chains">The scripts of the source and of the target.</param>
/// <param name="maxWait">Maximum wait for another migrator.</param>
public sealed class DataTransfer(DatabaseSettings source, MigrationDatabase target, (Chain Source, Chain Target) chains, TimeSpan maxWait)
{
    /// <summary>Maximum number of findings to list; further findings are only counted.</summary>
    public const int MaxListed = 100_000;

    /// <summary>Called often, with the progress; null for no calls.</summary>
    public Action<TransferStep>? Progress { get; init; }

    /// <summary>
    /// Called with a description of another migrator, if that migrator holds the lock; null for no calls.
    /// </summary>
    public Action<string>? Waiting { get; init; }

    /// <summary>The encryption key of secrets from the environment; null to read it from the key file of the source.</summary>
    public byte[]? SecretKey { get; init; }

    /// <summary>
    /// Checks all rows, then loads the missing rows and compares both databases. Loads nothing if the check has
    /// findings.
    /// </summary>
    /// <param name="dryRun">True to check only.</param>
    /// <param name="ct">Cancels the transfer; loaded rows stay, and the next transfer continues after them.</param>
    /// <exception cref="MigrationException">The source is unusable, the databases are incompatible, or the target
    /// contains other rows.</exception>
    public async Task<TransferReport> Run(bool dryRun, CancellationToken ct)
    {
        try
        {
            using var snapshot = SqliteSnapshot.Take(source.SqlitePath!);
            return await snapshot.Encoding(ct) is "UTF-8" ? await Run(snapshot, dryRun, ct)
                : throw TransferRules.SourceUnusable("its text encoding is UTF-16. Copy it with `sqlite3 OLD .dump | sqlite3 NEW` first.");
        }
        catch (DbException exception) when (SqliteSnapshot.WhyUnusable(exception) is { } reason)
        {
            throw TransferRules.SourceUnusable(reason, exception);
        }
    }

    private async Task<TransferReport> Run(SqliteSnapshot snapshot, bool dryRun, CancellationToken ct)
    {
        var status = await SchemaStatus.Read(snapshot.Connection, new SqliteSchemaDialect(), chains.Source, ct);
        TransferRules.RequireValid(status);
        var limits = new MigrationLimits { MaxWait = maxWait, StatementTimeout = TimeSpan.Zero, LockTimeout = TimeSpan.FromSeconds(30) };
        var migrator = new Migrator(target, chains.Target, TimeProvider.System, limits)
        {
            Progress = step =>
            Waiting?.Invoke(step.Description)
        };
        return await migrator.RunLocked(async (connection, targetStatus) =>
        {
            TransferRules.RequireSameRevision(status, targetStatus);
            var postgres = new PostgresTarget(connection);
            await postgres.Begin(ct);
            return await Run(snapshot, postgres, status.Current, dryRun, ct);
        }, ct);
    }

    private async Task<TransferReport> Run(SqliteSnapshot snapshot, PostgresTarget postgres, string revision, bool dryRun,
        CancellationToken ct)
    {
        var tables = LoadOrder.Of(TransferRules.Match(await snapshot.Tables(ct), await postgres.Tables(ct)));
        var findings = new FindingList();
        var results = await Check(snapshot, postgres, tables, findings, ct);
        var report = new TransferReport
        {
            Revision = revision,
            Tables = results,
            Findings = findings.Count,
            Listed = findings.Listed,
            Differences = [],
            // With --scripts, the databases do not always have a table named connections.
            Secrets = tables.Any(table => table.Name == "connections")
                ? await SealedSecrets.Read(snapshot.Connection, source.SqlitePath!, SecretKey, ct) : null,
        };
        if (findings.Count > 0)
        {
            return report;
        }

        var rows = new TableTransfer(snapshot, postgres, step => Progress?.Invoke(step));
        for (var i = 0; i < tables.Count; i++)
        {
            results[i] = await rows.FindPresent(tables[i], results[i], ct);
        }

        if (dryRun)
        {
            return report;
        }

        var loaded = await Load(postgres, rows, tables, results, ct);
        return report with { Differences = await Verify(postgres, rows, tables, results, loaded, ct) };
    }

    // Returns one result per table, with its row count and hash.
    private async Task<List<TransferredTable>> Check(SqliteSnapshot snapshot, PostgresTarget postgres, IReadOnlyList<TransferTable> tables,
        FindingList findings, CancellationToken ct)
    {
        var results = new List<TransferredTable>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var integrityCheck = Task.Run(() => snapshot.FindDamage(stop.Token), CancellationToken.None);
        try
        {
            var preflight = new Preflight(snapshot, postgres, step => Progress?.Invoke(step), findings.Add);
            foreach (var table in tables)
            {
                var total = await snapshot.Count(table.Name, ct);
                var (rows, hash) = await preflight.Check(table, total, ct);
                if (rows != total)
                {
                    throw TransferRules.SourceDamaged($"table {table.Name} contains {total} rows, but its primary key finds {rows}");
                }

                results.Add(new(table.Name, rows, 0, 0, 0, hash, null));
            }

            foreach (var (table, rowId, parent) in await snapshot.Dangling(ct))
            {
                findings.Add(new(table, "", rowId, null, null, $"refers to a missing row of {parent}"));
            }

            if (await integrityCheck is { Count: > 0 } damage)
            {
                throw TransferRules.SourceDamaged(damage[0]);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await integrityCheck.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        return results;
    }

    // Loads the missing rows and returns the names of the tables that got rows.
    private static async Task<HashSet<string>> Load(PostgresTarget postgres, TableTransfer rows, IReadOnlyList<TransferTable> tables,
        List<TransferredTable> results, CancellationToken ct)
    {
        var loaded = new HashSet<string>(StringComparer.Ordinal);
        await postgres.WaitForDisk(false, ct);
        for (var i = 0; i < tables.Count; i++)
        {
            if (results[i].Present < results[i].Rows)
            {
                loaded.Add(tables[i].Name);
                results[i] = rows.Load(tables[i], results[i], ct);
            }
        }

        // The next commit also flushes all earlier commits to disk.
        await postgres.WaitForDisk(true, ct);
        return loaded;
    }

    private static async Task<IReadOnlyList<Difference>> Verify(
        PostgresTarget postgres, TableTransfer rows, IReadOnlyList<TransferTable> tables, List<TransferredTable> results,
        HashSet<string> loaded, CancellationToken ct)
    {
        var differences = new List<Difference>();
        for (var i = 0; i < tables.Count; i++)
        {
            // This runs for every table, because an earlier transfer can have been killed after loading and before this
            // step.
            await postgres.Finish(tables[i], ct);
            if (results[i].TargetHash is null || loaded.Contains(tables[i].Name))
            {
                results[i] = results[i] with { TargetHash = rows.HashTarget(tables[i], results[i].Rows, ct) };
            }

            if (results[i].TargetHash != results[i].SourceHash && rows.Compare(tables[i], results[i].Rows, ct).First is { } difference)
            {
                differences.Add(difference);
            }
        }

        return differences;
    }

    private sealed class FindingList
    {
        private readonly List<TransferFinding> _listed = [];

        public long Count { get; private set; }

        public IReadOnlyList<TransferFinding> Listed => _listed;

        public void Add(TransferFinding finding)
        {
            if (Count++ < MaxListed)
            {
                _listed.Add(finding);
            }
        }
    }
}
