namespace Catalog.Data.Database.Postgres;

/// <summary>
/// SQL for Citus: an extension that distributes the rows of tables over several servers. The Catalog's tables are
/// distributed by organization, so nearly every statement runs on one server.
/// </summary>
internal static class PostgresCitus
{
    /// <summary>The column that the tables are distributed by.</summary>
    internal const string Column = "organization_id";

    /// <summary>
    /// The table that is distributed first. The other tables follow it, so the rows of an organization are on the same
    /// server in all tables.
    /// </summary>
    internal const string FirstTable = "organizations";

    /// <summary>The version of the extension in this database; no row without the extension.</summary>
    internal const string Version = """
        -- PostgresCitus.Version
        select extversion from pg_extension where extname = 'citus'
        """;

    /// <summary>Whether the database has the extension.</summary>
    internal const string IsInstalled = """
        -- PostgresCitus.IsInstalled
        select exists (select from pg_extension where extname = 'citus')
        """;

    /// <summary>
    /// The Catalog's tables. <c>distributed_by</c> is a column; it is <c>-</c> for a table that Citus has but does not
    /// distribute by a column, and null for a local table. <c>colocation</c> is the group of tables that have the rows
    /// of an organization on the same server. <c>shards</c> is the number of shards. Use it only in a database with the
    /// extension.
    /// </summary>
    internal const string Tables = $"""
        -- PostgresCitus.Tables
        select ours.name,
               case when p.partmethod = 'h' then column_to_column_name(ours.oid, p.partkey::text) when p.partmethod is not null then '-' end
                   as distributed_by,
               p.colocationid as colocation,
               (select count(*)::int from pg_dist_shard s where s.logicalrelid = ours.oid) as shards
        from ({PostgresGrants.TablesQuery}) ours
        left join pg_dist_partition p on p.logicalrelid = ours.oid
        order by ours.name <> '{FirstTable}', ours.name
        """;

    /// <summary>
    /// The SQL that sets role and context on the servers with the rows, where row-level security needs them. Citus
    /// forwards neither <c>set_config</c> nor settings outside a transaction block.
    /// </summary>
    /// <param name="session">
    /// Select-list expressions that apply the session settings; empty when the session already has them.
    /// </param>
    /// <param name="role">The role to assume; null for the login.</param>
    /// <param name="setting">The setting whose value decides which rows are visible.</param>
    public static ContextSql Context(string session, string? role, string setting)
    {
        string[] settings = role is null
            ? ["set local citus.propagate_set_commands = 'local'"]
            : ["set local citus.propagate_set_commands = 'local'", $"set local role \"{role}\""];
        return session.Length == 0
            ? ContextSql.Block(settings, setting, returnsRow: false)
            : ContextSql.Block([$"select {session}true", .. settings], setting, returnsRow: true);
    }
}
