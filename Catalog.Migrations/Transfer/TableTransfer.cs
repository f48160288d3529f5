using System.Diagnostics;
using System.Security.Cryptography;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Transfer;

/// <summary>Loads, hashes and compares the rows of single tables.</summary>
/// <param name="snapshot">The source.</param>
/// <param name="postgres">The target.</param>
/// <param name="progress">Called every 1,024 rows.</param>
internal sealed class TableTransfer(SqliteSnapshot snapshot, PostgresTarget postgres, Action<TransferStep> progress)
{
    private const int BatchRows = 50_000;
    private const int BatchBytes = 16 * 1024 * 1024;
    private const int ChunkBytes = 256 * 1024;
    private const int RowsPerProgress = 1024;

    /// <summary>Counts the source's rows that an earlier transfer has already loaded.</summary>
    /// <exception cref="MigrationException">The target's rows are not the first rows of the source.</exception>
    public async Task<TransferredTable> FindPresent(TransferTable table, TransferredTable result, CancellationToken ct)
    {
        if (await postgres.Count(table, ct) == 0)
        {
            return result.Rows == 0 ? result with { TargetHash = result.SourceHash } : result;
        }

        var (same, ended, hash, first) = Compare(table, result.Rows, ct);
        return ended
            ? result with { Present = same, TargetHash = same == result.Rows ? hash : null }
            : throw new MigrationException(MigrationFault.NotEmpty,
                $"The target's table {table.Name} contains rows, but not those that an interrupted transfer of this source leaves: "
                    + $"{first!.What}, key {first.Key}. Nothing was written. Use an empty database as the target.");
    }

    /// <summary>
    /// Loads the source's rows after the first <see cref="TransferredTable.Present"/> rows, in batches that commit
    /// separately.
    /// </summary>
    public TransferredTable Load(TransferTable table, TransferredTable result, CancellationToken ct)
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
                    throw new InvalidOperationException("A checked value could not be encoded.");
                }

                if (encoder.Rows.Length >= ChunkBytes)
                {
                    ct.ThrowIfCancellationRequested();
                    Send();
                }

                if (++done % RowsPerProgress == 0)
                {
                    progress(new("copying", table.Name, done, result.Rows));
                }
            }

            Send();
            copy.Complete();
        }

        progress(new("copying", table.Name, done, result.Rows));
        return result with { Copied = done - result.Present, Seconds = clock.Elapsed.TotalSeconds };
    }

    /// <summary>Reads the target's rows back.</summary>
    /// <returns>SHA-256 over the rows; see <see cref="TransferredTable.TargetHash"/>.</returns>
    public string HashTarget(TransferTable table, long total, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var rows = postgres.CopyOut(table);
        var done = 0L;
        while (rows.Read())
        {
            hash.AppendData(rows.Row);
            if (++done % RowsPerProgress == 0)
            {
                ct.ThrowIfCancellationRequested();
                progress(new("verifying", table.Name, done, total));
            }
        }

        progress(new("verifying", table.Name, done, total));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Compares the rows of both databases in the order of their keys, up to the first difference.</summary>
    /// <returns>
    /// <c>Same</c> is the number of equal rows. <c>Ended</c> is true if the target has no rows after them. <c>Hash</c>
    /// is the hash of the equal rows; empty if <c>Ended</c> is false. <c>First</c> is the first difference; null for
    /// none.
    /// </returns>
    public (long Same, bool Ended, string Hash, Difference? First) Compare(TransferTable table, long total, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var sourceRows = snapshot.Rows(table);
        using var targetRows = postgres.CopyOut(table);
        var encoder = new RowEncoder(table);
        Difference Differs(ReadOnlySpan<byte> row, string what) => new(table.Name, RowEncoder.KeyText(table, row), what);
        for (var same = 0L; ; same++)
        {
            encoder.Rows.Truncate(0);
            var hasSource = sourceRows.Read();
            if (hasSource && !encoder.Append(sourceRows))
            {
                throw new InvalidOperationException("A checked value could not be encoded.");
            }

            if (!targetRows.Read())
            {
                return (same, true, Convert.ToHexStringLower(hash.GetHashAndReset()), hasSource
                    ? Differs(encoder.Last, "a row is missing in the target") : null);
            }

            if (!hasSource || !targetRows.Row.SequenceEqual(encoder.Last))
            {
                return (same, false, "", Differs(targetRows.Row, !hasSource
                    ? "a row exists only in the target" : "the next row has another key or other values"));
            }

            hash.AppendData(targetRows.Row);
            if (same % RowsPerProgress == 0)
            {
                ct.ThrowIfCancellationRequested();
                progress(new("comparing", table.Name, same, total));
            }
        }
    }
}
