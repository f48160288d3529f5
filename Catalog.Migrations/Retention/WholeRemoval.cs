using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Removes rows of a table, each in one piece with the rows of other tables that belong to it.</summary>
/// <param name="organization">Whose.</param>
/// <param name="batches">The transactions.</param>
/// <param name="table">The table.</param>
/// <param name="column">What names its row in the other tables.</param>
/// <param name="parts">The other tables.</param>
internal sealed class WholeRemoval(string organization, RemovalBatches batches, string table, string column, string[] parts)
{
    /// <summary>Removes as many as make a batch with what belongs to them.</summary>
    /// <param name="transaction">The transaction in which they were found.</param>
    /// <param name="old">The next of them, a batch of them unless there are no more.</param>
    /// <param name="moveOn">Told the last one that went.</param>
    public async Task<RemovedBatch> Remove(DbTransaction transaction, List<OldRow> old, Action<OldRow> moveOn)
    {
        var taken = await Light(transaction, old);
        var rows = await Remove(transaction, taken);
        return new(rows, taken.Count == old.Count && old.Count < batches.Size, () =>
        {
            if (taken.Count > 0)
            {
                moveOn(taken[^1]);
            }
        });
    }

    // As many of the first as make a batch with what belongs to them, but at least one.
    private async Task<List<OldRow>> Light(DbTransaction transaction, List<OldRow> old)
    {
        var weights = old.ToDictionary(one => one.Id, _ => 1L, StringComparer.Ordinal);
        foreach (var part in parts)
        {
            var sql = $"""
                -- WholeRemoval.Light
                select {column} as id, count(*) as rows
                from {part}
                where organization_id = @organization and {batches.Queries.IsAnyOf(column, "@ids")}
                group by {column}
                """;

            foreach (var ids in Lists(old))
            {
                foreach (var weight in await batches.Many<Weight>(transaction, sql, new { organization, ids }))
                {
                    weights[weight.Id] += weight.Rows;
                }
            }
        }

        var sum = 0L;
        return [.. old.TakeWhile((one, index) => (sum += weights[one.Id]) <= batches.Size || index == 0)];
    }

    private async Task<List<TableRows>> Remove(DbTransaction transaction, List<OldRow> old)
    {
        var removed = new List<TableRows>();
        foreach (var (from, key) in parts.Select(part => (part, column)).Append((table, "id")))
        {
            var sql = $"""
                -- WholeRemoval.Remove
                delete from {from}
                where organization_id = @organization and {batches.Queries.IsAnyOf(key, "@ids")}
                """;

            var rows = 0L;
            foreach (var ids in Lists(old))
            {
                rows += await batches.Execute(transaction, sql, new { organization, ids });
            }

            removed.Add(new(from, rows));
        }

        return [removed[^1], .. removed[..^1]];
    }

    private IEnumerable<string[]> Lists(List<OldRow> old) => old.Select(one => one.Id).Chunk(batches.Queries.ListLimit);

    private sealed record Weight
    {
        public required string Id { get; init; }
        public required long Rows { get; init; }
    }
}

/// <summary>A row that is to go, with its time.</summary>
internal sealed record OldRow
{
    public required string Id { get; init; }
    public required DateTimeOffset At { get; init; }
}
