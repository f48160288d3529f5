namespace Catalog.Data.Database;

/// <summary>
/// The context that row-level security needs for the statements on one connection. It is sent in the same round trip as
/// the statement.
/// </summary>
/// <param name="Sql">Sets role and context for the transaction; null when nothing must be set.</param>
/// <param name="Value">The organization or key whose rows are visible.</param>
internal readonly record struct RowSecurityContext(ContextSql? Sql, string Value)
{
    public const string Parameter = "app_context";
}
