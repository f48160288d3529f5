namespace Catalog.Migrations.Lint;

/// <summary>What scripts have done so far, as far as a later statement's safety hangs on it.</summary>
internal sealed class Facts
{
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);
    private readonly HashSet<string> _dropped = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _indexes = new(StringComparer.Ordinal);
    private readonly HashSet<(string Table, string Name)> _validated = [];
    private readonly HashSet<string> _notNull = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Column, bool Valid)> _notNullChecks = new(StringComparer.Ordinal);

    /// <summary>Whether a table was made, and is not one that takes the place of another.</summary>
    public bool MadeTable(string table) => _made.Contains($"table {table}") && !_dropped.Contains(table);

    /// <summary>Whether a column, constraint, other object, renamed name or row security (<paramref name="kind"/>) was made.</summary>
    public bool Made(string kind, string table, string name) => _made.Contains($"{kind} {table}.{name}");

    /// <summary>The table of an index that was made; null when none was.</summary>
    public string? TableOf(string index) => _indexes.GetValueOrDefault(index);

    /// <summary>Whether a checked constraint says that a column holds no null.</summary>
    public bool ProvesNotNull(string table, string column) => _notNullChecks.Values.Contains(($"{table}.{column}", true));

    /// <summary>Whether a check that was added not valid has been validated: who takes that trouble has a use for it.</summary>
    public bool HasValidatedCheck(string table) => _validated.Any(check => check.Table == table);

    /// <summary>Whether a constraint says no more than the column's own <c>not null</c>.</summary>
    public bool IsSpare(string table, string constraint) => _notNullChecks.TryGetValue($"{table}.{constraint}", out var check) && _notNull.Contains(check.Column);

    /// <summary>Takes a change into account.</summary>
    public void Add(Change change)
    {
        var key = $"{change.Table}.{change.Name}";
        switch (change.Kind)
        {
            case ChangeKind.CreateTable:
                _made.Add($"table {change.Table}");
                break;
            case ChangeKind.CreateIndex:
                _indexes[change.Name] = change.Table;
                break;
            case ChangeKind.CreateObject:
                _made.Add($"object {key}");
                break;
            case ChangeKind.AddColumn:
                _made.Add($"column {key}");
                AddInlineConstraints(change);
                break;
            case ChangeKind.AddConstraint:
                AddConstraint(change, key);
                break;
            case ChangeKind.AlterColumn when change.Tokens.Has("set not null"):
                _notNull.Add(key);
                break;
            case ChangeKind.AlterColumn when change.Tokens.Has("drop not null"):
                _notNull.Remove(key);
                break;
            case ChangeKind.ValidateConstraint:
                Validate(change, key);
                break;
            case ChangeKind.RenameTable:
                _made.Add($"renamed .{change.Name}");
                if (_made.Contains($"table {change.Table}"))
                {
                    _made.Add($"table {change.Name}");
                }

                break;
            case ChangeKind.RenameColumn:
                _made.Add($"renamed {key}");
                break;
            case ChangeKind.DropTable when !MadeTable(change.Table):
                _dropped.Add(change.Table);
                _notNullChecks.Where(check => check.Value.Column.StartsWith($"{change.Table}.", StringComparison.Ordinal)).ToList().ForEach(check => _notNullChecks.Remove(check.Key));
                break;
            case ChangeKind.DropConstraint:
                _validated.Remove((change.Table, change.Name));
                _notNullChecks.Remove(key);
                break;
            case ChangeKind.AlterTable when change.Tokens.Has("row level security") && !change.Tokens.At(0, "disable") && !change.Tokens.At(0, "no"):
                _made.Add($"row security {change.Table}.{change.Tokens[0].Name()}");
                break;
        }
    }

    private void AddInlineConstraints(Change column)
    {
        foreach (var (place, token) in column.Tokens.Index())
        {
            if (token.Is("constraint") && place + 1 < column.Tokens.Count)
            {
                _made.Add($"constraint {column.Table}.{column.Tokens[place + 1].Name()}");
            }
        }
    }

    private void Validate(Change change, string key)
    {
        if (_made.Contains($"unchecked check {key}"))
        {
            _validated.Add((change.Table, change.Name));
        }

        if (_notNullChecks.TryGetValue(key, out var check))
        {
            _notNullChecks[key] = check with { Valid = true };
        }
    }

    private void AddConstraint(Change change, string key)
    {
        var notValid = change.Tokens.Has("not valid");
        _made.Add($"constraint {key}");
        if (notValid)
        {
            _made.Add($"unchecked {(change.Tokens[0].Is("foreign") ? "foreign key" : "check")} {key}");
        }

        var reader = new TokenReader(change.Tokens);
        if (reader.Take("check") && reader.Parenthesis() is [var column, ..] said && said.At(1, "is", "not", "null") && said.Count == 4)
        {
            _notNullChecks[key] = ($"{change.Table}.{column.Name()}", !notValid);
        }
    }
}
