namespace Catalog.Migrations.Replay;

/// <summary>
/// A table of the fold: how its live rows are compared with those of the shadow, and replaced by them. The alias of a row
/// is <c>t</c> in every condition.
/// </summary>
/// <param name="Name">The table.</param>
/// <param name="Key">The columns that identify a row within an organization.</param>
/// <param name="Values">The other columns that are compared.</param>
internal sealed record ReplayTable(string Name, string[] Key, string[] Values)
{
    /// <summary>
    /// Columns that are copied and not compared, because their value depends on the time of receipt or is computed from
    /// other columns.
    /// </summary>
    public string[] Copied { get; init; } = [];

    /// <summary>For copied columns whose value in the shadow is wrong: the SQL of the right value, by column.</summary>
    public IReadOnlyDictionary<string, string> Replaced { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// SQL condition for the rows that come from the log. Other rows, such as posted results, are not changed.
    /// </summary>
    public string Condition { get; init; } = "true";

    /// <summary>
    /// The time of the first report of a row. A row from before the horizon is left alone. Null: rows are only compared
    /// when the whole log is folded.
    /// </summary>
    public string? FirstAt { get; init; } = "t.first_at";

    /// <summary>Whether rows that only the live table has are deleted.</summary>
    public bool DeletesRows { get; init; } = true;

    /// <summary>Whether missing rows are inserted; otherwise they are folded again from rows of other tables.</summary>
    public bool InsertsRows { get; init; } = true;

    /// <summary>The live rows that are compared.</summary>
    public string LiveRows => $"select 1 from {Name} as t where {Live}";

    /// <summary>The replayed rows that are compared.</summary>
    /// <inheritdoc cref="OnlyLive"/>
    public string ReplayedRows(string shadow) =>
        $"select 1 from {shadow}.{Name} as t where t.organization_id = @organization and {Condition}";

    /// <summary>The keys of live rows that the replay does not have.</summary>
    /// <param name="shadow">The schema of the shadow.</param>
    public string OnlyLive(string shadow) => DeletesRows ? $"""
        select {Columns("t", Key)}
        from {Name} as t
        where {Live} and not exists (select 1 from {shadow}.{Name} as s where {Same})
        """ : $"select {Columns("t", Key)} from {Name} as t where false";

    /// <summary>The keys of replayed rows that the live table does not have.</summary>
    /// <inheritdoc cref="OnlyLive"/>
    public string OnlyReplayed(string shadow) => $"""
        select {Columns("t", Key)}
        from {shadow}.{Name} as t
        where t.organization_id = @organization and {Condition} and not exists (
            select 1
            from {Name} as s
            where {Same} and {Condition.Replace("t.", "s.", StringComparison.Ordinal)})
        """;

    /// <summary>The keys of rows whose values differ.</summary>
    /// <inheritdoc cref="OnlyLive"/>
    public string Different(string shadow) => Values.Length == 0 ? $"select {Columns("t", Key)} from {Name} as t where false" : $"""
        select {Columns("t", Key)}
        from {Name} as t
        join {shadow}.{Name} as s on {Same} and {Condition.Replace("t.", "s.", StringComparison.Ordinal)}
        where {Live} and ({string.Join(" or ", Values.Select(column => $"t.{column} is distinct from s.{column}"))})
        """;

    /// <summary>Deletes the rows that the replay does not have, and those that differ.</summary>
    /// <inheritdoc cref="OnlyLive"/>
    public string Delete(string shadow) => $"""
        -- Replay.Delete {Name}
        with changed as materialized ({OnlyLive(shadow)} union all {Different(shadow)})
        delete from {Name}
        where organization_id = @organization and {Condition.Replace("t.", $"{Name}.", StringComparison.Ordinal)}
          and ({Columns(Name, Key)}) in (select * from changed)
        """;

    /// <summary>Inserts the replayed rows that are missing.</summary>
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
