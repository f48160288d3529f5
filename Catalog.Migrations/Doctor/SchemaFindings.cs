using Catalog.Data;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Doctor;

/// <summary>Creates the findings about the schema's status.</summary>
internal static class SchemaFindings
{
    /// <summary>Evaluates journal, history and tables.</summary>
    /// <param name="status">The schema's status.</param>
    /// <param name="hasJournal">True if the journal table exists.</param>
    /// <param name="tables">The tables and views other than the migrator's.</param>
    /// <param name="matchingRevision">The revision whose committed description matches the live schema; null for none.</param>
    /// <param name="chain">The scripts.</param>
    public static IEnumerable<Finding> Of(SchemaStatus status, bool hasJournal, IReadOnlyList<string> tables, string? matchingRevision,
        Chain chain)
    {
        foreach (var fault in status.Faults)
        {
            // The first sentence of a fault's message is the problem. The rest of the message is the action.
            var end = fault.Message.IndexOf(". ", StringComparison.Ordinal);
            yield return new(fault.Fault.Code(), Severity.Error, end < 0 ? fault.Message : fault.Message[..(end + 1)], end < 0
                ? null : fault.Message[(end + 2)..]);
        }

        foreach (var script in status.HalfApplied)
        {
            yield return status.Holder is null
                ? new("half_applied", Severity.Error,
                    $"{script.Revision}, which runs without a transaction, was started but its end is not recorded.",
                    "Run the interrupted `catalog-migrations upgrade` or `downgrade` again.")
                : new("migration_running", Severity.Note, $"{script.Revision} is being applied now.", null);
        }

        if (status.Holder is { } holder)
        {
            yield return new("migrator_at_work", Severity.Note, $"A migrator is running: {holder}.", null);
        }

        var existing = tables.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var catalogTables = SchemaDescription.CreatedObjects(status.Pending).Select(table => table.Name).Where(existing.Contains)
            .Order(StringComparer.Ordinal).ToList();
        if (!hasJournal && catalogTables.Count > 0)
        {
            yield return new("tables_without_journal", Severity.Error,
                $"{Quantity.Of(catalogTables.Count, "table", "tables")} of the Catalog "
                    + $"{(catalogTables.Count == 1 ? "exists" : "exist")} without a journal: {Quantity.Few(catalogTables)}. "
                    + "`upgrade` rejects such a database.",
                matchingRevision is null
                    ? "Record their revision with `catalog-migrations stamp "
                        + $"{(chain.Scripts.Count == 1 ? chain.Scripts[0].Revision : "REVISION")}`, or use another, empty database."
                    : $"They match {matchingRevision}: run `catalog-migrations stamp {matchingRevision}`, or use another, empty database.");
        }
        else if (!hasJournal && tables.Count > 0)
        {
            yield return new("other_tables", Severity.Error,
                $"The database contains tables that are not the Catalog's: {Quantity.Few(tables)}. `upgrade` rejects such a database.",
                "Use another, empty database. To share this database with these tables, run `catalog-migrations stamp base`.");
        }
        else if (catalogTables.Count > 0 && status.HalfApplied.Count == 0 && status.Holder is null)
        {
            yield return new("table_already_exists", Severity.Error,
                $"{Quantity.Few(catalogTables)} already {(catalogTables.Count == 1 ? "exists" : "exist")}, and a pending script "
                    + $"({status.Pending[0].Revision}) would create {(catalogTables.Count == 1 ? "it" : "them")}: `upgrade` will fail.",
                "If they are the Catalog's, record their revision with `catalog-migrations stamp REVISION`. Otherwise rename them or "
                    + "use another database.");
        }

        if (status.Pending.Count > 0 && (hasJournal || tables.Count == 0))
        {
            yield return new("schema_behind", Severity.Error,
                $"The schema is at {status.Current}; {Quantity.Of(status.Pending.Count, "script is", "scripts are")} pending: "
                    + $"{Quantity.Few([.. status.Pending.Select(script => script.Revision)])}. The service does not become ready "
                    + "until they are applied.",
                "Run `catalog-migrations upgrade`. To see its SQL first, run `catalog-migrations sql`.");
        }
    }

    private static string Code(this MigrationFault fault) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString());
}
