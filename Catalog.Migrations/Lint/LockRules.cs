using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>What holds up a table's readers or writers on Postgres for as long as the table is large.</summary>
internal static class LockRules
{
    // Of a default: one value for all rows, so that no row is written.
    private static readonly string[] Steady =
    [
        "now", "transaction_timestamp", "statement_timestamp", "current_timestamp", "localtimestamp", "current_time", "localtime", "current_setting", "cast", "coalesce", "nullif",
        "date_trunc", "timezone", "to_timestamp", "to_date", "make_date", "make_interval", "make_timestamptz", "lower", "upper", "md5", "sha256", "decode", "encode", "convert_to",
        "jsonb_build_object", "jsonb_build_array", "to_jsonb", "array", "row", "numeric", "varchar", "interval", "timestamptz",
    ];

    public static readonly IReadOnlyList<LintRule> All =
    [
        new("column-type", "Every row is written anew under a lock that stops reads and writes, or an index is.", "Add a column of the new type, write both, fill it in batches, read it, and drop the old one a release later.")
        {
            Engine = "postgres",
            OnChange = (context, change) => change.Kind == ChangeKind.AlterColumn && TypeAt(change) >= 0 && !context.IsNew(change.Table)
                ? new(change.Line, $"changes the type of {change.Table}.{change.Name}: every row may be written anew under a lock that stops reads and writes")
                : null,
        },
        new("set-not-null", "Every row is read under a lock that stops reads and writes; a new column without a default fails where there are rows.", "Prove it first with a check that is added not valid, and validated in the next script.")
        {
            OnChange = SetNotNull,
        },
        new("foreign-key-not-valid", "Every row is looked up under a lock that stops writes to both tables.", "Add it not valid; validate constraint in the next script.")
        {
            Engine = "postgres",
            OnChange = (context, change) => IsForeignKey(change) && !context.IsNew(change.Table)
                ? change.Kind == ChangeKind.AddColumn
                    ? new(change.Line, $"adds {change.Table}.{change.Name} with a default and a foreign key, which is looked up for every row under a lock that stops writes to both tables",
                        $"alter table {change.Table} add column {change.Name} {change.Type};\n-- then the foreign key, not valid, and in the next script validate it")
                    : NotValid(change, "foreign key", "fkey", "every row is looked up under a lock that stops writes to both tables")
                : ValidatedTooSoon(context, change, "foreign key"),
        },
        new("check-not-valid", "Every row is read under a lock that stops reads and writes.", "Add it not valid; validate constraint in the next script.")
        {
            Engine = "postgres",
            OnChange = (context, change) => context.IsNew(change.Table) ? null : change.Kind switch
            {
                ChangeKind.AddConstraint when change.Tokens[0].Is("check") && !change.Tokens.Has("not valid") => NotValid(change, "check", "check", "every row is read under a lock that stops reads and writes"),
                ChangeKind.AddColumn when change.Tokens.Has("check (") => new(change.Line, $"adds {change.Table}.{change.Name} with a check: every row is read under a lock that stops reads and writes",
                    $"alter table {change.Table} add column {change.Name} {change.Type};\nalter table {change.Table} add constraint {Last(change.Table)}_{change.Name}_check check (…) not valid;\n-- in the next script:\nalter table {change.Table} validate constraint {Last(change.Table)}_{change.Name}_check;"),
                _ => ValidatedTooSoon(context, change, "check"),
            },
        },
        new("unique-not-concurrent", "An index is built under a lock that stops reads and writes.", "Build it with create unique index concurrently; in the next script, add constraint … unique using index.")
        {
            Engine = "postgres",
            OnChange = Unique,
        },
        new("index-not-concurrent", "Writes, on drop also reads, wait until it is done.", "create index concurrently, in a script of its own that says `-- transaction: none`.")
        {
            Engine = "postgres",
            OnStatement = Index,
        },
        new("volatile-default", "Every row is written anew under a lock that stops reads and writes; SQLite refuses the column.", "Add the column without a default, then set the default, then fill it in batches.")
        {
            OnChange = VolatileDefault,
        },
    ];

    /// <summary>Where an action that changes a column's type names it; -1 in another action.</summary>
    public static int TypeAt(Change change) => change.Tokens.At(0, "type") ? 1 : change.Tokens.At(0, "set", "data", "type") ? 3 : -1;

    private static string Last(string name) => name[(name.LastIndexOf('.') + 1)..];

    private static LintHit? SetNotNull(LintContext context, Change change)
    {
        var (table, column) = (change.Table, change.Name);
        if (context.IsNew(table))
        {
            return null;
        }

        if (change.Kind == ChangeKind.AlterColumn && change.Tokens.At(0, "set", "not", "null") && !context.Before.ProvesNotNull(table, column) && !context.Here.ProvesNotNull(table, column))
        {
            var check = $"{Last(table)}_{column}_not_null";
            return new(change.Line, $"sets {table}.{column} not null without a validated check: every row is read under a lock that stops reads and writes",
                $"alter table {table} add constraint {check} check ({column} is not null) not valid;\n-- in the next script:\nalter table {table} validate constraint {check};\nalter table {table} alter column {column} set not null;\nalter table {table} drop constraint {check};");
        }

        var filled = change.Default.Count > 0 && !change.Default[0].Is("null");
        return change.Kind == ChangeKind.AddColumn && change.Tokens.Has("not null") && !filled && !change.Tokens.Has("generated")
            ? new(change.Line, $"adds {table}.{column} not null without a default, which fails where there are rows", $"alter table {table} add column {column} {change.Type} not null default …;\n-- or without not null, filled in batches")
            : null;
    }

    // Postgres knows that a new column without a default holds nothing to look up.
    private static bool IsForeignKey(Change change) =>
        (change.Kind == ChangeKind.AddConstraint && change.Tokens[0].Is("foreign") && !change.Tokens.Has("not valid"))
        || (change.Kind == ChangeKind.AddColumn && change.Tokens.Has("references") && change.Default.Count > 0 && !change.Default[0].Is("null"));

    private static LintHit NotValid(Change change, string what, string ending, string harm)
    {
        var (table, name) = (change.Table, change.Name.Length > 0 ? change.Name : $"{Last(change.Table)}_{ending}");
        return new(change.Line, $"adds {(change.Name.Length > 0 ? $"{what} {name}" : $"a {what}")} to {table} and holds every row to it at once: {harm}",
            $"alter table {table} add constraint {name} {what} (…){(what == "check" ? "" : " references …")} not valid;\n-- in the next script:\nalter table {table} validate constraint {name};");
    }

    // The lock of adding it is held until the transaction ends, so also while every row is read.
    private static LintHit? ValidatedTooSoon(LintContext context, Change change, string what) =>
        change.Kind == ChangeKind.ValidateConstraint && context.File.Transactional && !context.IsNew(change.Table) && context.Here.Made($"unchecked {what}", change.Table, change.Name)
            ? new(change.Line, $"validates {change.Name} in the transaction that adds it, whose lock on {change.Table} is held meanwhile", $"-- in the next script:\nalter table {change.Table} validate constraint {change.Name};")
            : null;

    private static LintHit? Unique(LintContext context, Change change)
    {
        var added = change.Kind == ChangeKind.AddConstraint && (change.Tokens[0].Is("unique") || change.Tokens[0].Is("primary")) && !change.Tokens.Has("using index");
        var inline = change.Kind == ChangeKind.AddColumn && (change.Tokens.Has("unique") || change.Tokens.Has("primary key"));
        var excludes = change.Kind == ChangeKind.AddConstraint && change.Tokens[0].Is("exclude");
        if ((!added && !inline && !excludes) || context.IsNew(change.Table))
        {
            return null;
        }

        if (excludes)
        {
            return new(change.Line, $"adds an exclusion to {change.Table}: its index is built under a lock that stops reads and writes, and cannot be built concurrently",
                "Make a new table with the exclusion, write both, fill it in batches, and read the new one.");
        }

        var kind = change.Tokens.Has("primary key") ? "primary key" : "unique";
        var columns = inline ? change.Name : "…";
        var name = added && change.Name.Length > 0 ? change.Name : $"{Last(change.Table)}_{(kind == "unique" ? (inline ? $"{change.Name}_key" : "key") : "pkey")}";
        return new(change.Line, $"adds {(kind == "unique" ? "a unique constraint" : "a primary key")} to {change.Table}: its index is built under a lock that stops reads and writes",
            $"-- transaction: none\ncreate unique index concurrently {name} on {change.Table} ({columns});\n-- in the next script:\nalter table {change.Table} add constraint {name} {kind} using index {name};");
    }

    private static IEnumerable<LintHit> Index(LintContext context)
    {
        var concurrently = context.Tokens.Has("concurrently");
        foreach (var change in concurrently ? [] : context.Changes)
        {
            // On a partitioned table alone it is empty and built at once.
            if (change.Kind == ChangeKind.CreateIndex && !context.IsNew(change.Table) && !change.Tokens.Has("on only"))
            {
                yield return new(change.Line, $"builds index {change.Name} on {change.Table}, whose writers wait until it is done", Concurrently(context));
            }

            if (change.Kind == ChangeKind.DropIndex && (context.Here.TableOf(change.Name) ?? context.Up?.TableOf(change.Name)) is var table && (table is null || !context.IsNew(table)))
            {
                yield return new(change.Line, $"drops index {change.Name} under a lock that stops reads and writes of its table", $"-- transaction: none\ndrop index concurrently {change.Name};");
            }
        }

        if (context.Tokens[0].Is("reindex") && !concurrently)
        {
            yield return new(context.Line, "reindex stops writes until it is done", "-- transaction: none\nreindex index concurrently …;");
        }
    }

    private static string Concurrently(LintContext context)
    {
        var sql = context.Statement.Sql;
        var at = context.Inner ? -1 : sql.IndexOf("index", StringComparison.OrdinalIgnoreCase);
        return "-- transaction: none\n" + (at < 0 ? "create index concurrently …;" : sql.Insert(at + "index".Length, " concurrently") + ';');
    }

    private static LintHit? VolatileDefault(LintContext context, Change change)
    {
        if (change.Kind != ChangeKind.AddColumn || context.IsNew(change.Table))
        {
            return null;
        }

        var (value, table, column) = (change.Default, change.Table, change.Name);
        if (context.Engine == "sqlite")
        {
            return value.Any(token => token.Is("(") || token.Is("current_timestamp") || token.Is("current_date") || token.Is("current_time"))
                ? new(change.Line, $"adds {table}.{column} with a default that is computed, which SQLite refuses where there are rows", $"alter table {table} add column {column} {change.Type};\nupdate {table} set {column} = … where {column} is null;")
                : null;
        }

        var rewrites = change.Tokens.Has("as identity") ? "as identity" : change.Tokens.Has("stored") ? "that is generated and stored" : Volatile(value) is { } function ? $"whose default calls {function}()" : null;
        return rewrites is null ? null : new(change.Line, $"adds {table}.{column} {rewrites}: every row is written anew under a lock that stops reads and writes",
            $"alter table {table} add column {column} {change.Type};\nalter table {table} alter column {column} set default …;\n-- then fill it in batches: update {table} set {column} = … where {column} is null and …;");
    }

    private static string? Volatile(IReadOnlyList<SqlToken> value) => value.Index()
        .Where(word => value.At(word.Index + 1, "(") && word.Item.Kind is SqlTokenKind.Word or SqlTokenKind.QuotedName && !value.At(word.Index - 1, ":"))
        .Select(word => word.Item.Name())
        .FirstOrDefault(name => !Steady.Contains(name));
}
