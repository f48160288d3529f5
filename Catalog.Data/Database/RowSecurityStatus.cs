namespace Catalog.Data.Database;

/// <summary>
/// Whether row-level security isolates organizations, in addition to the condition in every statement.
/// </summary>
/// <param name="IsEnforced">
/// True when a statement without its organization condition finds no row of another organization.
/// </param>
/// <param name="Description">For an operator: how isolation is enforced, or why it is not and how to fix it.</param>
/// <param name="BlocksStatements">
/// Whether statements fail while isolation is not enforced: because it is required, or because it was enforced before
/// and the role no longer exists.
/// </param>
public sealed record RowSecurityStatus(bool IsEnforced, string Description, bool BlocksStatements);
