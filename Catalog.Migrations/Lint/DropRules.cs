namespace Catalog.Migrations.Lint;

/// <summary>What is dropped beside tables and indexes, on Postgres.</summary>
internal static class DropRules
{
    // They hold data, or columns are made of them. A view or function may be replaced at will.
    private static readonly string[] Held = ["schema", "owned", "sequence", "type", "domain", "materialized view", "extension", "database"];

    public static readonly IReadOnlyList<LintRule> All =
    [
        new("drop-object", "What it holds is gone, or with cascade what nobody named.", "Drop it without cascade, after what hangs on it, one release after the last that uses it, and say so in a waiver.")
        {
            Engine = "postgres",
            OnStatement = DropObject,
        },
    ];

    private static IEnumerable<LintHit> DropObject(LintContext context)
    {
        var reader = new TokenReader(context.Tokens);
        // Tables and indexes have rules of their own.
        if (!reader.Take("drop") || reader.Sees("table") || reader.Sees("foreign table") || reader.Sees("index"))
        {
            yield break;
        }

        var kind = reader.Take("materialized view") ? "materialized view" : reader.Name();
        var (held, cascade) = (Held.Contains(kind), context.Tokens.Has("cascade"));
        reader.Skip("by", "if", "exists");
        foreach (var part in held || cascade ? reader.Rest.Parts() : [])
        {
            var said = new TokenReader(part);
            var name = said.Name();
            var table = said.Take("on") ? said.Name() : "";
            if (context.Made("object", kind, name) || (kind.EndsWith("view", StringComparison.Ordinal) && context.IsNew(name)) || (table.Length > 0 && context.IsNew(table)))
            {
                continue;
            }

            var statement = $"drop {(kind == "owned" ? "owned by" : kind)} {name}{(table.Length > 0 ? $" on {table}" : "")};";
            yield return new(part[0].Line, $"drops {(kind == "owned" ? "everything that is owned by" : kind)} {name}{(cascade ? " and, with cascade, what the statement does not name" : "")}",
                held ? LossRules.Waiver("drop-object", statement) : $"-- after what hangs on it, each by its name:\n{statement}");
        }
    }
}
