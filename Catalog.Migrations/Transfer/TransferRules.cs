using Catalog.Data.Migrations;

namespace Catalog.Migrations.Transfer;

/// <summary>The conditions that source and target must meet before any row is read.</summary>
internal static class TransferRules
{
    /// <exception cref="MigrationException">The source has a fault, or no script was applied to it.</exception>
    public static void RequireValid(SchemaStatus source)
    {
        if (source.Faults is [var fault, ..])
        {
            throw new MigrationException(fault.Fault, $"The source: {fault.Message}");
        }

        if (source.Position == 0)
        {
            throw new MigrationException(MigrationFault.RevisionsDiffer,
                "The source contains no Catalog: no script was applied to it. Set --from to the file that the service used.");
        }
    }

    /// <exception cref="MigrationException">The target has a half-applied script, or the revisions differ.</exception>
    public static void RequireSameRevision(SchemaStatus source, SchemaStatus target)
    {
        if (target.HalfApplied is [var script, ..])
        {
            throw new MigrationException(
                MigrationFault.HalfApplied,
                $"The target: {script.Revision} was started but its end is not recorded. Run the interrupted `catalog-migrations "
                    + "upgrade` or `downgrade` on the target again, then the transfer.");
        }

        if (source.Current != target.Current)
        {
            throw new MigrationException(MigrationFault.RevisionsDiffer, string.CompareOrdinal(source.Current, target.Current) > 0
                || target.Position == 0
                ? $"The source is at {source.Current} and the target at {target.Current}: run `catalog-migrations upgrade "
                    + $"{source.Current}` on the target first."
                : $"The source is at {source.Current} and the target at {target.Current}: run `catalog-migrations upgrade "
                    + $"{target.Current}` on the source first, with DATAXPIPE_DB set to its file and DATAXPIPE_MIGRATIONS_DB unset.");
        }
    }

    /// <summary>Finds the target's table for every table of the source.</summary>
    /// <exception cref="MigrationException">A table is missing, or has other columns or another primary key.</exception>
    public static List<TransferTable> Match(IReadOnlyList<(string Table, IReadOnlyList<string> Columns, IReadOnlyList<string> Key)> source,
        IReadOnlyList<TransferTable> target) =>
        [.. source.Select(table => Match(table.Table, table.Columns, table.Key, target))];

    public static MigrationException SourceUnusable(string reason, Exception? cause = null) =>
        new(MigrationFault.SourceUnusable, $"The source: {reason}", cause);

    public static MigrationException SourceDamaged(string damage) =>
        SourceUnusable(
            $"it is damaged: {damage}. Nothing was written. Restore a backup, or repair the file with `sqlite3 OLD .recover | "
                + "sqlite3 NEW`.");

    private static TransferTable Match(string name, IReadOnlyList<string> columns, IReadOnlyList<string> key,
        IReadOnlyList<TransferTable> target)
    {
        static MigrationException NotMovable(string message) =>
            new(MigrationFault.NotMovable, message + " Run `catalog-migrations verify` on both.");
        var match = target.FirstOrDefault(other => other.Name == name) ?? throw NotMovable($"Table {name} does not exist in the target.");
        var names = match.Columns.Select(column => column.Name).ToList();
        if (columns.Except(names, StringComparer.Ordinal).Concat(names.Except(columns, StringComparer.Ordinal))
            .FirstOrDefault() is { } unmatched)
        {
            throw NotMovable($"Table {name} has column {unmatched} only in the {(columns.Contains(unmatched) ? "source" : "target")}.");
        }

        return key.Count > 0 && key.SequenceEqual(match.Key.Select(place => names[place]), StringComparer.Ordinal)
            ? match
            : throw NotMovable($"Table {name} has no primary key, or different primary keys in both databases.");
    }
}
