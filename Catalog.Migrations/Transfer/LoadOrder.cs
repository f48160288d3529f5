using Catalog.Data.Migrations;

namespace Catalog.Migrations.Transfer;

/// <summary>The order of loading: a table after those that it refers to, otherwise by name.</summary>
internal static class LoadOrder
{
    /// <exception cref="MigrationException">Tables refer to each other in a circle, or one to itself.</exception>
    public static IReadOnlyList<TransferTable> Of(IEnumerable<TransferTable> tables)
    {
        var left = tables.OrderBy(table => table.Name, StringComparer.Ordinal).ToList();
        var ordered = new List<TransferTable>(left.Count);
        while (left.Count > 0)
        {
            var next = left.Find(table => !table.References.Any(name => left.Any(other => other.Name == name)))
                ?? throw new MigrationException(MigrationFault.NotMovable,
                    $"The target's tables {string.Join(", ", left.Select(table => table.Name))} refer to each other in a circle, so that none can be loaded first.");
            ordered.Add(next);
            left.Remove(next);
        }

        return ordered;
    }
}
