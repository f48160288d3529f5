using Catalog.Data;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Doctor;

/// <summary>Says what is wrong with a schema's standing, and what to do.</summary>
internal static class SchemaFindings
{
    /// <summary>What the journal, the history and the tables that are there tell together.</summary>
    /// <param name="standing">Where the database stands.</param>
    /// <param name="hasJournal">Whether there is a journal at all.</param>
    /// <param name="tables">The tables and views that are not the migrator's own.</param>
    /// <param name="likeness">The revision whose committed description the live schema has; null when none is.</param>
    /// <param name="chain">The scripts.</param>
    public static IEnumerable<Finding> Of(SchemaStatus standing, bool hasJournal, IReadOnlyList<string> tables, string? likeness, Chain chain)
    {
        foreach (var fault in standing.Faults)
        {
            // Each fault is a sentence that says what it is, and those that say what to do.
            var end = fault.Message.IndexOf(". ", StringComparison.Ordinal);
            yield return new(fault.Fault.Code(), Severity.Error, end < 0 ? fault.Message : fault.Message[..(end + 1)], end < 0 ? null : fault.Message[(end + 2)..]);
        }

        foreach (var script in standing.HalfApplied)
        {
            yield return standing.Holder is null
                ? new("half_applied", Severity.Error, $"{script.Revision}, which runs without a transaction, was begun and has not been seen to end.", "Run `catalog-migrations upgrade`: it finds out what is left of it.")
                : new("migration_running", Severity.Note, $"{script.Revision} is being applied now.", null);
        }

        if (standing.Holder is { } holder)
        {
            yield return new("migrator_at_work", Severity.Note, $"A migrator is at work: {holder}.", null);
        }

        var there = tables.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var ours = SchemaDescription.CreatedObjects(standing.Pending).Select(made => made.Name).Where(there.Contains).Order(StringComparer.Ordinal).ToList();
        if (!hasJournal && ours.Count > 0)
        {
            yield return new("tables_without_journal", Severity.Error,
                $"{Quantity.Of(ours.Count, "table", "tables")} of the Catalog {(ours.Count == 1 ? "is" : "are")} here and no journal says how far: {Quantity.Few(ours)}. `upgrade` refuses such a database.",
                likeness is null
                    ? $"Write down which revision they are at: `catalog-migrations stamp {(chain.Scripts.Count == 1 ? chain.Scripts[0].Revision : "REVISION")}`; or name another, empty database."
                    : $"They are those of {likeness}: `catalog-migrations stamp {likeness}`; or name another, empty database.");
        }
        else if (!hasJournal && tables.Count > 0)
        {
            yield return new("other_tables", Severity.Error, $"The database holds tables that are not the Catalog's: {Quantity.Few(tables)}. `upgrade` refuses such a database.",
                "Name another, empty database; or, if they may stay beside the Catalog's, `catalog-migrations stamp base`.");
        }
        else if (ours.Count > 0 && standing.HalfApplied.Count == 0 && standing.Holder is null)
        {
            yield return new("table_already_exists", Severity.Error,
                $"{Quantity.Few(ours)} {(ours.Count == 1 ? "is" : "are")} here already, and a pending script ({standing.Pending[0].Revision}) would make {(ours.Count == 1 ? "it" : "them")}: `upgrade` will fail.",
                "If they are the Catalog's, write down which revision they are at: `catalog-migrations stamp REVISION`; otherwise rename them, or name another database.");
        }

        if (standing.Pending.Count > 0 && (hasJournal || tables.Count == 0))
        {
            yield return new("schema_behind", Severity.Error,
                $"The schema is at {standing.Current}; {Quantity.Of(standing.Pending.Count, "script is", "scripts are")} pending: {Quantity.Few([.. standing.Pending.Select(script => script.Revision)])}. The service is not ready before.",
                "Run `catalog-migrations upgrade`; what it would do: `catalog-migrations sql`.");
        }
    }

    private static string Code(this MigrationFault fault) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString());
}
