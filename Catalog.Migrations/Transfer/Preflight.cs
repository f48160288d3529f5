using System.Security.Cryptography;

namespace Catalog.Migrations.Transfer;

/// <summary>Looks at every value of a table before anything is written: can it be moved exactly, and will the target take the row?</summary>
internal sealed class Preflight(SqliteSnapshot source, PostgresTarget target, Action<TransferStep> progress, Action<TransferFinding> list)
{
    // The most that fits into an index row of an 8 KiB page (BTMaxItemSize); above it the server decides, because it may compress.
    private const int IndexRow = 2704;
    private const int RememberedAtMost = 100_000;
    private readonly CopyBuffer _judged = new();

    /// <returns>How many rows there are, and the hash of those that can be moved.</returns>
    public async Task<(long Rows, string Hash)> Look(TransferTable table, long total, CancellationToken ct)
    {
        var verdicts = table.Checks.Select(_ => new Dictionary<byte[], string?>(Bytewise.Comparer)).ToArray();
        var encoder = new RowEncoder(table);
        var order = new KeyOrder(table);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var rows = source.Rows(table);
        void Report(int? column, string reason) => list(new(table.Name, RowEncoder.KeyText(table, rows), rows.RowId,
            column is { } place ? table.Columns[place].Name : null, column is { } at ? rows.Value(at).Class.ToString().ToLowerInvariant() : null, reason));

        var count = 0L;
        await target.PrepareTrials(table, ct);
        while (rows.Read())
        {
            if (++count % 1024 == 0)
            {
                ct.ThrowIfCancellationRequested();
                progress(new("checking", table.Name, count, total));
            }

            if (encoder.Append(rows, (column, reason) => Report(column, reason)))
            {
                if (!order.Follows(encoder))
                {
                    Report(null, "does not come after the row before it: the target sorts its key elsewhere, or holds it to be the same");
                }

                for (var i = 0; i < verdicts.Length; i++)
                {
                    if (await Judge(table, table.Checks[i], verdicts[i], encoder, ct) is { } reason)
                    {
                        Report(table.Checks[i].Columns is [var only] ? only : null, reason);
                    }
                }

                if (TooLong(table, encoder) is { } index && await target.Try(table, encoder.Last.ToArray(), ct) is { Constraint: null })
                {
                    Report(table.Indexes[index].Columns.MaxBy(column => encoder.Field(column).Length), $"is too long for the target's index {table.Indexes[index].Name}");
                }
            }

            if (encoder.Rows.Length > 256 * 1024)
            {
                hash.AppendData(encoder.Rows.Written);
                encoder.Rows.Truncate(0);
            }
        }

        await target.EndTrials(ct);
        hash.AppendData(encoder.Rows.Written);
        progress(new("checking", table.Name, count, total));
        return (count, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    // A check constraint judges some columns only, so the server is asked once for each set of their values: words of a status are few.
    private async Task<string?> Judge(TransferTable table, (string Name, IReadOnlyList<int> Columns) check, Dictionary<byte[], string?> known, RowEncoder row, CancellationToken ct)
    {
        _judged.Truncate(0);
        foreach (var column in check.Columns)
        {
            row.Field(column).CopyTo(_judged.Reserve(row.Field(column).Length));
        }

        if (known.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(_judged.Written, out var reason))
        {
            return reason;
        }

        var values = _judged.Written.ToArray();
        var refused = await target.Try(table, row.Last.ToArray(), ct);
        // Another rule that refuses the same row says nothing about these values.
        if (refused is null || refused.Value.Constraint == check.Name)
        {
            if (known.Count == RememberedAtMost)
            {
                known.Clear();
            }

            known[values] = refused?.Reason;
        }

        return refused?.Constraint == check.Name ? refused?.Reason : null;
    }

    private static int? TooLong(TransferTable table, RowEncoder row)
    {
        for (var i = 0; i < table.Indexes.Count; i++)
        {
            var size = 16;
            foreach (var column in table.Indexes[i].Columns)
            {
                size += row.Field(column).Length + 8;
            }

            if (size > IndexRow)
            {
                return i;
            }
        }

        return null;
    }
}

/// <summary>Holds byte arrays for equal when their bytes are, and finds them by bytes that are no array yet.</summary>
internal sealed class Bytewise : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static readonly Bytewise Comparer = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var hash = new HashCode();
        hash.AddBytes(alternate);
        return hash.ToHashCode();
    }

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
