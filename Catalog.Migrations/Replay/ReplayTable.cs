namespace Catalog.Migrations.Replay;

/// <summary>
/// A table that events are folded into, with the SQL that compares its live rows with the rows of the shadow and
/// replaces them. In every condition, <c>t</c> is the alias of the table.
/// </summary>
/// <param name="Name">Name of the table.</param>
/// <param name="Key">The columns that identify a row within an organization.</param>
/// <param name="Values">The other columns that are compared.</param>
internal sealed record ReplayTable(string Name, string[] Key, string[] Values)
{
    /// <summary>
    /// Columns that are copied but not compared, because their value depends on the time of receipt or is computed from
    /// other columns.
    /// </summary>
    public string[] Copied { get; init; } = [];

    /// <summary>The SQL of the right value, by column, for copied columns whose value in the shadow is wrong.</summary>
    public IReadOnlyDictionary<string, string> Replaced { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// SQL condition for the rows that come from the log. Other rows, such as posted results, are not changed.
    /// </summary>
    public string Condition { get; init; } = "true";

    /// <summary>
    /// SQL of the time at which a row was first reported. Live rows from before the horizon stay as they are. Null if
    /// rows have no such time. If <see cref="DeletesRows"/> is true, the table is then compared only when the whole log
    /// is folded.
    /// </summary>
    public string? FirstAt { get; init; } = "t.first_at";

    /// <summary>Whether rows that only the live table has are deleted.</summary>
    public bool DeletesRows { get; init; } = true;

    /// <summary>Whether missing rows are inserted. If not, they are folded again from rows of other tables.</summary>
    public bool InsertsRows { get; init; } = true;

    /// <summary>SQL query of the live rows that are compared.</summary>
    public string LiveRows => $"select 1 from {Name} as t where {Live}";

    /// <summary>SQL query of the replayed rows that are compared.</summary>
    /// <inheritdoc cref="OnlyLive"/>
    public string ReplayedRows(string shadow) =>
        $"select 1 from {shadow}.{Name} as t where t.organization_id = @organization and {Condition}";

    /// <summary>SQL query of the keys of live rows that the replay does not have.</summary>
    /// <param name="shadow">The schema of the shadow.</param>
    public string OnlyLive(string shadow) => DeletesRows ? $"""
        select {Columns("t", Key)}
        from {Name} as t
        where {Live} and not exists (select 1 from {shadow}.{Name} as s where {Same})
        """ : $"select {Columns("t", Key)} from {Name} as t where false";

    /// <summary>SQL query of the keys of replayed rows that the live table does not have.</summary>
    /// <inheritdoc cref="OnlyLive"/>
    public string OnlyReplayed(string shadow) => $"""
        select {Columns("t", Key)}
        from {shadow}.{Name} as t
        where t.organization_id = @organization and {Condition} and not exists (
            select 1
            from {Name} as s
            where {Same} and {Condition.Replace("t.", "s.", StringComparison.Ordinal)})
        """;

    /// <summary>SQL query of the keys of rows whose values differ.</summary>
    /// <inheritdoc cref="OnlyLive"/>
    public string Different(string shadow) => Values.Length == 0 ? $"select {Columns("t", Key)} from {Name} as t where false" : $"""
        select {Columns("t", Key)}
        from {Name} as t
        join {shadow}.{Name} as s on {Same} and {Condition.Replace("t.", "s.", StringComparison.Ordinal)}
        where {Live} and ({string.Join(" or ", Values.Select(column => $"t.{column} is distinct from s.{column}"))})
        """;

    /// <summary>SQL that deletes the live rows that the replay does not have, and those that differ.</summary>
    /// <inheritdoc cref="OnlyLive"/>
    public string Delete(string shadow) => $"""
        -- Replay.Delete {Name}
        with changed as materialized ({OnlyLive(shadow)} union all {Different(shadow)})
        delete from {Name}
        where organization_id = @organization and {Condition.Replace("t.", $"{Name}.", StringComparison.Ordinal)}
          and ({Columns(Name, Key)}) in (select * from changed)
        """;

    /// <summary>SQL that inserts the replayed rows that are missing in the live table.</summary>
    /// <inheritdoc cref="OnlyLive"/>
    public string Insert(string shadow)
    {
        string[] all = ["organization_id", .. Key, .. Values, .. Copied];
        return $"""
            -- Replay.Insert {Name}
            with missing as materialized ({OnlyReplayed(shadow)})
            insert into {Name} ({string.Join(", ", all)})
            select {string.Join(", ", all.Select(column => Replaced.TryGetValue(column, out var sql)
                ? sql.Replace("shadow.", $"{shadow}.", StringComparison.Ordinal) : $"t.{column}"))}
            from {shadow}.{Name} as t
            where t.organization_id = @organization and {Condition} and ({Columns("t", Key)}) in (select * from missing)
            on conflict do nothing
            """;
    }

    private string Live => $"t.organization_id = @organization and {Condition} and {(FirstAt is null ? "true" : $"{FirstAt} >= @horizon")}";

    private string Same => string.Join(" and ", Key.Prepend("organization_id").Select(column => $"s.{column} = t.{column}"));

    private static string Columns(string alias, string[] columns) => string.Join(", ", columns.Select(column => $"{alias}.{column}"));
}
