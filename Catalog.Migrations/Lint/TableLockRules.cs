namespace Catalog.Migrations.Lint;

/// <summary>Statements that write a table anew or hold it as a whole, on Postgres.</summary>
internal static class TableLockRules
{
    // Traffic goes on beside them.
    private static readonly string[] Mild = ["in access share", "in row share", "in row exclusive"];

    public static readonly IReadOnlyList<LintRule> All =
    [
        new("table-lock", "The table is written anew or held as a whole: reads or writes wait until it is done.", "vacuum without full, refresh materialized view concurrently, detach partition … concurrently; a new table that is filled in batches.")
        {
            Engine = "postgres",
            OnStatement = TableLock,
        },
        new("attach-partition", "Every row is read under a lock that stops reads and writes, unless a validated check says the partition's bounds.", "Add a check of its bounds not valid; validate it in the next script, and attach it then.")
        {
            Engine = "postgres",
            OnStatement = context => context.Changes.Where(change => change.Kind == ChangeKind.AlterTable && change.Tokens.At(0, "attach", "partition")).Select(change => Attach(context, change)).OfType<LintHit>(),
        },
    ];

    private static IEnumerable<LintHit> TableLock(LintContext context)
    {
        var tokens = context.Tokens;
        var reader = new TokenReader(tokens);
        return reader.Take("cluster") ? Cluster(context, reader)
            : reader.Take("lock") ? Lock(context, reader)
            : reader.Take("refresh materialized view") ? Refresh(context, reader)
            : reader.Take("vacuum") && (reader.Sees("full") || reader.Parenthesis().Has("full")) ? context.At("vacuum full writes its tables anew under a lock that stops reads and writes", "-- transaction: none\nvacuum …;")
            : tokens.At(0, "alter", "table", "all", "in") || ((tokens.At(0, "alter", "index") || tokens.At(0, "alter", "materialized", "view", "all")) && tokens.Has("set tablespace"))
                ? context.At("set tablespace copies it under a lock that stops reads and writes", "Make a new one in the other tablespace beside it (an index concurrently), and drop the old one a release later.")
            : context.Changes.Where(change => change.Kind == ChangeKind.AlterTable && !context.IsNew(change.Table)).Select(Alter).OfType<LintHit>();
    }

    private static IEnumerable<LintHit> Cluster(LintContext context, TokenReader reader)
    {
        reader.Skip("verbose");
        reader.Parenthesis();
        var name = reader.Name();
        var table = reader.Take("on") ? reader.Name() : name;
        return context.IsNew(table) ? [] : context.At($"cluster writes {(table.Length > 0 ? table : "every table")} anew under a lock that stops reads and writes", "Make an index in that order instead: create index concurrently ….");
    }

    private static IEnumerable<LintHit> Lock(LintContext context, TokenReader reader)
    {
        reader.Skip("table", "only");
        var table = reader.Names().FirstOrDefault(name => !context.IsNew(name));
        return table is null || Mild.Any(context.Tokens.Has) ? [] : context.At($"locks {table} until the script ends", "Leave it out: each statement takes the lock that it needs, no sooner than it needs it.");
    }

    private static IEnumerable<LintHit> Refresh(LintContext context, TokenReader reader)
    {
        var concurrently = reader.Take("concurrently");
        var view = reader.Name();
        return concurrently || context.IsNew(view) || context.Tokens.Has("with no data")
            ? []
            : context.At($"refreshes {view} under a lock that stops its readers", $"-- it needs a unique index on columns of {view}:\nrefresh materialized view concurrently {view};");
    }

    private static LintHit? Alter(Change change)
    {
        var (table, tokens) = (change.Table, change.Tokens);
        if (tokens.At(0, "detach", "partition") && !tokens.Has("concurrently") && !tokens.Has("finalize"))
        {
            var partition = new TokenReader([.. tokens.Skip(2)]).Name();
            return new(change.Line, $"detaches {partition} under a lock that stops reads and writes of all of {table}", $"-- transaction: none\nalter table {table} detach partition {partition} concurrently;");
        }

        return tokens.At(0, "set", "unlogged") || tokens.At(0, "set", "logged") || tokens.At(0, "set", "tablespace") || tokens.At(0, "set", "access", "method")
            ? new(change.Line, $"{tokens.Words()} writes {table} anew under a lock that stops reads and writes", "Make a new table that is so, write both, fill it in batches, read it, and drop the old one a release later.")
            : null;
    }

    private static LintHit? Attach(LintContext context, Change change)
    {
        var partition = new TokenReader([.. change.Tokens.Skip(2)]).Name();
        if (context.IsNew(partition) || context.Here.HasValidatedCheck(partition) || context.Before.HasValidatedCheck(partition))
        {
            return null;
        }

        var check = $"{partition[(partition.LastIndexOf('.') + 1)..]}_bounds";
        return new(change.Line, $"attaches {partition} without a validated check of its bounds: every row is read under a lock that stops reads and writes",
            $"-- the bounds, and that their columns are not null; the indexes of {change.Table} are built on {partition} before (concurrently),\n"
            + "-- and a default partition, which is read too, needs a check of the opposite\n"
            + $"alter table {partition} add constraint {check} check (…) not valid;\n-- in the next script:\nalter table {partition} validate constraint {check};\nalter table {change.Table} attach partition {partition} for values …;");
    }
}
