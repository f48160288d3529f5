using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>What takes away data, access control, or names that the running release still uses.</summary>
internal static class LossRules
{
    private static readonly string[] BeginsWrite = ["update", "delete", "with", "truncate", "insert"];

    public static readonly IReadOnlyList<LintRule> All =
    [
        new("drop-table", "The data is gone, and the release that still runs fails.", "Drop it one release after the last that reads it, and say so in a waiver.")
        {
            OnChange = (context, change) => change.Kind == ChangeKind.DropTable && !context.IsNew(change.Table)
                ? new(change.Line, $"drops table {change.Table}: its data is gone, and the release that still runs fails", Waiver("drop-table", $"drop table {change.Table};"))
                : null,
        },
        new("drop-column", "The data is gone, and the release that still runs fails.", "Drop it one release after the last that names it, and say so in a waiver.")
        {
            OnChange = (context, change) => change.Kind == ChangeKind.DropColumn && !context.IsNew(change.Table) && !context.Made("column", change.Table, change.Name)
                ? new(change.Line, $"drops column {change.Table}.{change.Name}: its data is gone, and the release that still runs fails",
                    Waiver("drop-column", $"alter table {change.Table} drop column {change.Name};"))
                : null,
        },
        new("drop-constraint", "Nothing refuses wrong rows from here on.", "Add what takes its place first; then drop it with a waiver that names it.")
        {
            OnChange = (context, change) => change.Kind == ChangeKind.DropConstraint && !context.IsNew(change.Table)
                && !context.Made("constraint", change.Table, change.Name) && !context.Before.IsSpare(change.Table, change.Name)
                ? new(change.Line, $"drops constraint {change.Name} of {change.Table}: nothing refuses wrong rows from here on")
                : null,
        },
        new("rename", "The release that still runs asks for the old name.", "Add the new one, write both, fill it in batches, read it, and drop the old one a release later.")
        {
            OnChange = (context, change) => change.Kind switch
            {
                ChangeKind.RenameTable when !context.IsNew(change.Table) && !context.Made("renamed", "", change.Table) =>
                    new(change.Line, $"renames {change.Table}: the release that still runs asks for the old name"),
                ChangeKind.RenameColumn when !context.IsNew(change.Table) && !RenamedBack(context, change) =>
                    new(change.Line, $"renames a column of {change.Table} to {change.Name}: the release that still runs asks for the old name"),
                _ => null,
            },
        },
        new("truncate-cascade", "It empties tables that the statement does not name.", "Name every table: truncate runs, run_events; or delete in batches.")
        {
            Engine = "postgres",
            OnStatement = context => context.Tokens[0].Is("truncate") && context.Tokens.Has("cascade") ? context.At("truncate … cascade empties tables that it does not name") : [],
        },
        new("update-without-where", "Every row is written in one transaction, which holds their locks, or a condition was forgotten.",
            "Say which rows: where owner is null; of a large table a few thousand at a time.")
        {
            OnStatement = context => [.. UpdateWithoutWhere(context), .. MergeDeletes(context)],
        },
        new("disable-row-security", "Organizations can see each other's rows.", "Change the policy: alter policy … on runs using (…).")
        {
            Engine = "postgres",
            OnStatement = DisableRowSecurity,
        },
        new("disable-trigger", "What the trigger keeps true is not kept; `all` takes foreign keys too.", "Leave it on; or let the trigger itself pass over what the script writes: create or replace function ….")
        {
            Engine = "postgres",
            OnStatement = DisableTrigger,
        },
        new("grant-to-public", "Every role of the server gets it, also those made later.", "Name the role: grant select on runs to catalog_app.")
        {
            Engine = "postgres",
            OnStatement = context => context.Tokens.Has("grant") && context.Tokens.Find("to") is var to and >= 0
                && new TokenReader([.. context.Tokens.Skip(to + 1)]).Names().Contains("public") && !context.Tokens[0].Is("create")
                ? context.At("grants to public: every role of the server gets it, also those made later")
                : [],
        },
    ];

    public static string Waiver(string rule, string statement) =>
        $"-- once no running release uses it:\n-- lint: allow {rule}: not used since release X\n{statement}";

    private static bool RenamedBack(LintContext context, Change change) =>
        change.Tokens.Find("to") is var to and > 0 && context.Made("renamed", change.Table, change.Tokens[to - 1].Name());

    // Only what begins a statement or a parenthesis: `on conflict do update` and `for update` are none.
    private static IEnumerable<LintHit> UpdateWithoutWhere(LintContext context)
    {
        var tokens = context.Tokens;
        if (!BeginsWrite.Any(tokens[0].Is))
        {
            yield break;
        }

        foreach (var (place, token) in tokens.Index())
        {
            if (place > 0 && !tokens[place - 1].Is("(") && !tokens[place - 1].Is(")"))
            {
                continue;
            }

            var reader = new TokenReader([.. tokens.Skip(place)]);
            var write = reader.Take("update") ? "update" : reader.Take("delete from") ? "delete" : !tokens.Has("cascade") && reader.Take("truncate") ? "truncate" : null;
            if (write is null)
            {
                continue;
            }

            reader.Skip("table", "only", "or", "rollback", "abort", "replace", "fail", "ignore");
            var tables = write == "truncate" ? reader.Names() : [reader.Name()];
            if (tables.FirstOrDefault(table => !context.IsNew(table)) is { } table && !HasWhere(reader.Rest))
            {
                yield return write == "truncate"
                    ? new(token.Line, $"truncate empties {table}", $"delete from {table} where …;")
                    : new(token.Line, $"{write} without where: every row of {table}", $"{(write == "update" ? $"update {table} set …" : $"delete from {table}")} where …;");
            }
        }
    }

    private static IEnumerable<LintHit> MergeDeletes(LintContext context)
    {
        var tokens = context.Tokens;
        var merge = tokens.Find("merge into");
        var reader = new TokenReader([.. tokens.Skip(merge + 2)]);
        reader.Skip("only");
        if (merge < 0 || reader.Name() is var table && context.IsNew(table))
        {
            yield break;
        }

        var when = 0;
        for (var place = merge; place < tokens.Count; place++)
        {
            when = tokens.At(place, "when", "matched") || tokens.At(place, "when", "not", "matched") ? place : when;
            if (tokens.At(place, "then", "delete") && !tokens.Take(place).Skip(when).Any(token => token.Is("and")))
            {
                var matched = tokens.Take(place).Skip(when).Words();
                yield return new(tokens[place].Line, $"merge … {matched} then delete: every such row of {table}", $"{matched} and … then delete");
            }
        }
    }

    private static bool HasWhere(IReadOnlyList<SqlToken> tokens)
    {
        var depth = 0;
        foreach (var token in tokens)
        {
            depth += token.Is("(") ? 1 : token.Is(")") ? -1 : 0;
            if (depth < 0 || (depth == 0 && token.Is("where")))
            {
                return depth == 0;
            }
        }

        return false;
    }

    private static IEnumerable<LintHit> DisableTrigger(LintContext context)
    {
        foreach (var change in context.Changes.Where(change => change.Kind == ChangeKind.AlterTable && (change.Tokens.At(0, "disable", "trigger") || change.Tokens.At(0, "enable", "replica", "trigger"))))
        {
            if (!context.IsNew(change.Table))
            {
                yield return new(change.Line, $"{change.Tokens.Words()} on {change.Table}: what it keeps true is not kept");
            }
        }

        if (context.Tokens[0].Is("set") && context.Tokens.Has("session_replication_role"))
        {
            yield return new(context.Line, "session_replication_role switches off triggers and foreign keys");
        }
    }

    private static IEnumerable<LintHit> DisableRowSecurity(LintContext context)
    {
        foreach (var change in context.Changes.Where(change => change.Kind == ChangeKind.AlterTable && change.Tokens.Has("row level security")))
        {
            var undone = change.Tokens.At(0, "disable") ? "enable" : change.Tokens.At(0, "no", "force") ? "force" : null;
            if (undone is not null && !context.IsNew(change.Table) && !context.Made("row security", change.Table, undone))
            {
                yield return new(change.Line, $"{change.Tokens.Words()} on {change.Table}: organizations can see each other's rows");
            }
        }

        var role = context.Tokens.Has("role") || context.Tokens.Has("user");
        if ((role && context.Tokens.Has("bypassrls")) || (context.Tokens[0].Is("set") && context.Tokens.Has("row_security")))
        {
            yield return new(context.Line, $"{(role ? "gives a role the right to see" : "turns off row_security and sees")} every organization's rows");
        }
    }
}
