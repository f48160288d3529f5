using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>What is done to a schema.</summary>
internal enum ChangeKind
{
    CreateTable,
    CreateIndex,
    CreateObject,
    AddColumn,
    AddConstraint,
    AlterColumn,
    ValidateConstraint,
    RenameTable,
    RenameColumn,
    DropTable,
    DropColumn,
    DropConstraint,
    DropIndex,
    AlterTable,
}

/// <summary>One thing that a statement does to a schema; an <c>alter table</c> may do several.</summary>
/// <param name="Kind">What.</param>
/// <param name="Table">To which table; what kind of object another than a table or index is; empty for an index that is dropped, which does not say.</param>
/// <param name="Name">Of the column, constraint, index or other object; the new name where it is renamed; empty where it has none.</param>
/// <param name="Tokens">What was said of it: the column's definition, the constraint's, else the whole.</param>
/// <param name="Line">Where, from 1.</param>
internal sealed record Change(ChangeKind Kind, string Table, string Name, IReadOnlyList<SqlToken> Tokens, int Line)
{
    private static readonly string[] BeginsConstraint = ["constraint", "primary", "unique", "foreign", "check", "exclude"];
    private static readonly string[] EndsType = ["constraint", "not", "null", "default", "primary", "unique", "references", "check", "collate", "generated", "storage", "compression", "deferrable", "as", "using"];
    private static readonly string[] EndsDefault = ["constraint", "not", "null", "primary", "unique", "references", "check", "generated", "collate"];

    private static readonly string[] Objects = ["type", "domain", "schema", "sequence", "extension", "function", "procedure", "trigger", "policy"];

    /// <summary>What a statement does to a schema, in order; empty for one that does nothing to it.</summary>
    public static IEnumerable<Change> Read(IReadOnlyList<SqlToken> tokens)
    {
        var reader = new TokenReader(tokens);
        return reader.Take("create") ? Create(reader, tokens)
            : reader.Take("drop") ? Drop(reader, tokens)
            : reader.Take("alter") ? Alter(reader, tokens)
            : [];
    }

    /// <summary>A column's type in one spelling; empty where it has none.</summary>
    public string Type => Before(Tokens, EndsType).Words();

    /// <summary>A column's default; empty where it has none.</summary>
    public IReadOnlyList<SqlToken> Default => Tokens.Find("default") is var at and >= 0 ? Before([.. Tokens.Skip(at + 1)], EndsDefault) : [];

    private static IEnumerable<Change> Create(TokenReader reader, IReadOnlyList<SqlToken> tokens)
    {
        reader.Skip("or", "replace", "global", "local", "temporary", "temp", "unlogged", "unique", "materialized", "foreign", "virtual", "recursive", "constraint");
        var line = tokens[0].Line;
        if (reader.Take("index"))
        {
            reader.Skip("concurrently", "if", "not", "exists");
            var name = reader.Sees("on") ? "" : reader.Name();
            reader.Skip("on", "only");
            yield return new(ChangeKind.CreateIndex, reader.Name(), name, tokens, line);
        }
        else if (Objects.FirstOrDefault(reader.Take) is { } kind)
        {
            reader.Skip("if", "not", "exists", "authorization");
            // What is replaced may have been there before.
            if (!tokens.At(1, "or", "replace"))
            {
                yield return new(ChangeKind.CreateObject, kind, reader.Name(), tokens, line);
            }
        }
        else if (reader.Take("table") || reader.Take("view"))
        {
            reader.Skip("if", "not", "exists");
            var table = reader.Name();
            yield return new(ChangeKind.CreateTable, table, "", tokens, line);
            foreach (var part in reader.Parenthesis().Parts())
            {
                yield return BeginsConstraint.Any(part[0].Is) ? Constraint(table, part) : Column(table, part);
            }
        }
    }

    private static IEnumerable<Change> Drop(TokenReader reader, IReadOnlyList<SqlToken> tokens)
    {
        reader.Skip("foreign", "materialized");
        var kind = reader.Take("table") ? ChangeKind.DropTable : reader.Take("index") ? ChangeKind.DropIndex : (ChangeKind?)null;
        reader.Skip("concurrently", "if", "exists");
        foreach (var name in kind is null ? [] : reader.Names())
        {
            yield return kind == ChangeKind.DropTable ? new(ChangeKind.DropTable, name, "", tokens, tokens[0].Line) : new(ChangeKind.DropIndex, "", name, tokens, tokens[0].Line);
        }
    }

    private static IEnumerable<Change> Alter(TokenReader reader, IReadOnlyList<SqlToken> tokens)
    {
        reader.Skip("foreign", "materialized");
        if (!reader.Take("table") && !reader.Take("view"))
        {
            yield break;
        }

        reader.Skip("if", "exists", "only");
        var table = reader.Name();
        reader.Skip("*");
        foreach (var part in reader.Rest.Parts())
        {
            yield return Action(table, part);
        }
    }

    private static Change Action(string table, IReadOnlyList<SqlToken> tokens)
    {
        var reader = new TokenReader(tokens);
        Change Of(ChangeKind kind, string name) => new(kind, table, name, tokens, tokens[0].Line);
        if (reader.Take("add"))
        {
            var column = reader.Take("column");
            reader.Skip("if", "not", "exists");
            return !column && BeginsConstraint.Any(word => reader.Sees(word)) ? Constraint(table, reader.Rest) : Column(table, reader.Rest);
        }

        if (reader.Take("drop"))
        {
            var kind = reader.Take("constraint") ? ChangeKind.DropConstraint : ChangeKind.DropColumn;
            reader.Skip("column", "if", "exists");
            return Of(kind, reader.Name());
        }

        if (reader.Take("rename"))
        {
            if (reader.Take("to"))
            {
                return Of(ChangeKind.RenameTable, reader.Name());
            }

            // The name of a constraint is in no query.
            var kind = reader.Take("constraint") ? ChangeKind.AlterTable : ChangeKind.RenameColumn;
            reader.Skip("column");
            _ = reader.Name();
            reader.Skip("to");
            return Of(kind, reader.Name());
        }

        if (reader.Take("set schema"))
        {
            return Of(ChangeKind.RenameTable, $"{reader.Name()}.{table}");
        }

        if (reader.Take("validate constraint"))
        {
            return Of(ChangeKind.ValidateConstraint, reader.Name());
        }

        if (!reader.Take("alter") || reader.Sees("constraint"))
        {
            return Of(ChangeKind.AlterTable, "");
        }

        reader.Skip("column");
        return new(ChangeKind.AlterColumn, table, reader.Name(), reader.Rest, tokens[0].Line);
    }

    private static Change Column(string table, IReadOnlyList<SqlToken> tokens)
    {
        var reader = new TokenReader(tokens);
        return new(ChangeKind.AddColumn, table, reader.Name(), reader.Rest, tokens.Count > 0 ? tokens[0].Line : 0);
    }

    private static Change Constraint(string table, IReadOnlyList<SqlToken> tokens)
    {
        var reader = new TokenReader(tokens);
        return new(ChangeKind.AddConstraint, table, reader.Take("constraint") ? reader.Name() : "", reader.Rest, tokens[0].Line);
    }

    private static IReadOnlyList<SqlToken> Before(IReadOnlyList<SqlToken> tokens, string[] words)
    {
        var (depth, count) = (0, 0);
        while (count < tokens.Count && (depth > 0 || count == 0 || !words.Any(tokens[count].Is)))
        {
            depth += tokens[count].Is("(") ? 1 : tokens[count].Is(")") ? -1 : 0;
            count++;
        }

        return [.. tokens.Take(count)];
    }
}
