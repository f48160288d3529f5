using System.Data.Common;

namespace Catalog.Migrations.Retention;

/// <summary>Removes rows of a table together with their dependent rows in other tables.</summary>
/// <param name="organization">Id of the organization.</param>
/// <param name="batches">Runs the transactions.</param>
/// <param name="table">The table.</param>
/// <param name="dependents">The dependent tables.</param>
internal sealed class CascadeRemoval(string organization, RemovalBatches batches, string table, Dependent[] dependents)
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
        foreach (var dependent in dependents)
        {
            var sql = $"""
                -- CascadeRemoval.FitBatch
                select {dependent.Column} as id, count(*) as rows
                from {dependent.Table}
                where organization_id = @organization {dependent.Condition} and {batches.Queries.IsAnyOf(dependent.Column, "@ids")}
                group by {dependent.Column}
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
        foreach (var (from, key, condition) in dependents.Append(new(table, "id")))
        {
            var sql = $"""
                -- CascadeRemoval.Remove
                delete from {from}
                where organization_id = @organization {condition} and {batches.Queries.IsAnyOf(key, "@ids")}
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

/// <summary>A table whose rows are removed together with the row that they refer to.</summary>
/// <param name="Table">The table.</param>
/// <param name="Column">The column with the id of the row that it refers to.</param>
/// <param name="Condition">A further condition that begins with <c>and</c>; empty for none.</param>
internal sealed record Dependent(string Table, string Column, string Condition = "");
