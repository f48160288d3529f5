using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Removes rows of a table together with their dependent rows in other tables.</summary>
/// <param name="organization">Id of the organization.</param>
/// <param name="batches">Runs the transactions.</param>
/// <param name="table">The table.</param>
/// <param name="column">The column of the dependent tables that refers to the table.</param>
/// <param name="dependentTables">The dependent tables.</param>
internal sealed class CascadeRemoval(string organization, RemovalBatches batches, string table, string column, string[] dependentTables)
{
    /// <summary>Removes the first rows that fit into one batch, including their dependent rows.</summary>
    /// <param name="transaction">The transaction in which the rows were found.</param>
    /// <param name="old">The next rows to remove; fewer than a batch only if there are no more.</param>
    /// <param name="advance">Called after the commit with the last removed row.</param>
    public async Task<RemovedBatch> Remove(DbTransaction transaction, List<OldRow> old, Action<OldRow> advance)
    {
        var fitting = await FitBatch(transaction, old);
        var rows = await Remove(transaction, fitting);
        return new(rows, fitting.Count == old.Count && old.Count < batches.Size, () =>
        {
            if (fitting.Count > 0)
            {
                advance(fitting[^1]);
            }
        });
    }

    // Returns the first rows that fit into one batch with their dependent rows, but at least one row.
    private async Task<List<OldRow>> FitBatch(DbTransaction transaction, List<OldRow> old)
    {
        var weights = old.ToDictionary(row => row.Id, _ => 1L, StringComparer.Ordinal);
        foreach (var dependent in dependentTables)
        {
            var sql = $"""
                -- CascadeRemoval.FitBatch
                select {column} as id, count(*) as rows
                from {dependent}
                where organization_id = @organization and {batches.Queries.IsAnyOf(column, "@ids")}
                group by {column}
                """;

            foreach (var ids in IdChunks(old))
            {
                foreach (var weight in await batches.Query<Weight>(transaction, sql, new { organization, ids }))
                {
                    weights[weight.Id] += weight.Rows;
                }
            }
        }

        var sum = 0L;
        return [.. old.TakeWhile((row, index) => (sum += weights[row.Id]) <= batches.Size || index == 0)];
    }

    private async Task<List<TableRows>> Remove(DbTransaction transaction, List<OldRow> old)
    {
        var removed = new List<TableRows>();
        foreach (var (from, key) in dependentTables.Select(dependent => (dependent, column)).Append((table, "id")))
        {
            var sql = $"""
                -- CascadeRemoval.Remove
                delete from {from}
                where organization_id = @organization and {batches.Queries.IsAnyOf(key, "@ids")}
                """;

            var rows = 0L;
            foreach (var ids in IdChunks(old))
            {
                rows += await batches.Execute(transaction, sql, new { organization, ids });
            }

            removed.Add(new(from, rows));
        }

        return [removed[^1], .. removed[..^1]];
    }

    private IEnumerable<string[]> IdChunks(List<OldRow> old) => old.Select(row => row.Id).Chunk(batches.Queries.ListLimit);

    private sealed record Weight
    {
        public required string Id { get; init; }
        public required long Rows { get; init; }
    }
}

/// <summary>A row to remove, with its time.</summary>
internal sealed record OldRow
{
    public required string Id { get; init; }
    public required DateTimeOffset At { get; init; }
}
