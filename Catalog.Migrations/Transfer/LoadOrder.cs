using Catalog.Data.Migrations;

namespace Catalog.Migrations.Transfer;

/// <summary>
/// The order in which tables are loaded. A table comes after the tables that it refers to; otherwise the order is by
/// name.
/// </summary>
internal static class LoadOrder
{
    /// <exception cref="MigrationException">The references between tables form a cycle, or a table refers to itself.</exception>
    public static IReadOnlyList<TransferTable> Of(IEnumerable<TransferTable> tables)
    {
        var remaining = tables.OrderBy(table => table.Name, StringComparer.Ordinal).ToList();
        var ordered = new List<TransferTable>(remaining.Count);
        while (remaining.Count > 0)
        {
            var next = remaining.Find(table => !table.References.Any(name => remaining.Any(other => other.Name == name)))
                ?? throw new MigrationException(MigrationFault.NotMovable,
                    $"Foreign keys of the target's tables {string.Join(", ", remaining.Select(table => table.Name))} form a cycle, so no "
                        + "table can be loaded first. Drop one of these foreign keys, run the transfer, and create the key again.");
            ordered.Add(next);
            remaining.Remove(next);
        }

        return ordered;
    }
}
