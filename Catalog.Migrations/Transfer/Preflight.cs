using System.Security.Cryptography;

namespace Catalog.Migrations.Transfer;

/// <summary>
/// Checks all rows before anything is written: whether each value can be converted exactly, and whether the target
/// accepts the row.
/// </summary>
internal sealed class Preflight(SqliteSnapshot source, PostgresTarget target, Action<TransferStep> progress, Action<TransferFinding> list)
{
    // The maximum size in bytes of an index row on an 8 KiB page (BTMaxItemSize). A larger row is tried on the server,
    // because the server can compress it.
    private const int MaxIndexRowSize = 2704;
    private const int MaxRemembered = 100_000;
    private readonly CopyBuffer _checkedValues = new();

    /// <returns>The number of rows, and the hash of the rows without findings.</returns>
    public async Task<(long Rows, string Hash)> Check(TransferTable table, long total, CancellationToken ct)
    {
        var knownResults = table.Checks.Select(_ => new Dictionary<byte[], string?>(Bytewise.Comparer)).ToArray();
        var encoder = new RowEncoder(table);
        var order = new KeyOrder(table);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var rows = source.Rows(table);
        void Report(int? column, string reason) => list(new(table.Name, RowEncoder.KeyText(table, rows), rows.RowId,
            column is { } place ? table.Columns[place].Name : null, column is { } at
                ? rows.Value(at).Class.ToString().ToLowerInvariant() : null, reason));

        var count = 0L;
        await target.CreateTrialTable(table, ct);
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
                    Report(null,
                        "has a key that the target considers equal to that of the previous row, or sorts before it: change the key");
                }

                for (var i = 0; i < knownResults.Length; i++)
                {
                    if (await CheckConstraint(table, table.Checks[i], knownResults[i], encoder, ct) is { } reason)
                    {
                        Report(table.Checks[i].Columns is [var only] ? only : null, reason);
                    }
                }

                if (FindExceededIndex(table, encoder) is { } index && await target.TryRow(table, encoder.Last.ToArray(), ct) is
                    {
                        Constraint: null
                    })
                {
                    Report(table.Indexes[index].Columns.MaxBy(column => encoder.Field(column).Length),
                        $"is too long for the target's index {table.Indexes[index].Name}");
                }
            }

            if (encoder.Rows.Length > 256 * 1024)
            {
                hash.AppendData(encoder.Rows.Written);
                encoder.Rows.Truncate(0);
            }
        }

        await target.DropTrialTable(ct);
        hash.AppendData(encoder.Rows.Written);
        progress(new("checking", table.Name, count, total));
        return (count, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    // A check constraint depends only on some columns, so each combination of their values is tried once. Usually there
    // are few combinations, such as the values of a status.
    private async Task<string?> CheckConstraint(TransferTable table, (string Name, IReadOnlyList<int> Columns) check,
        Dictionary<byte[], string?> known, RowEncoder row, CancellationToken ct)
    {
        _checkedValues.Truncate(0);
        foreach (var column in check.Columns)
        {
            row.Field(column).CopyTo(_checkedValues.Reserve(row.Field(column).Length));
        }

        if (known.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(_checkedValues.Written, out var reason))
        {
            return reason;
        }

        var values = _checkedValues.Written.ToArray();
        var rejection = await target.TryRow(table, row.Last.ToArray(), ct);
        // If another constraint is violated, the result for these values is still unknown.
        if (rejection is null || rejection.Value.Constraint == check.Name)
        {
            if (known.Count == MaxRemembered)
            {
                known.Clear();
            }

            known[values] = rejection?.Reason;
        }

        return rejection?.Constraint == check.Name ? rejection?.Reason : null;
    }

    private static int? FindExceededIndex(TransferTable table, RowEncoder row)
    {
        for (var i = 0; i < table.Indexes.Count; i++)
        {
            var size = 16;
            foreach (var column in table.Indexes[i].Columns)
            {
                size += row.Field(column).Length + 8;
            }

            if (size > MaxIndexRowSize)
            {
                return i;
            }
        }

        return null;
    }
}

/// <summary>Compares byte arrays by content, and supports lookup by span.</summary>
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
