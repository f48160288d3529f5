namespace Catalog.Data.Connections;

/// <summary>Reads a secret that a connection only refers to, such as <c>vault/data/db-password</c>.</summary>
/// <param name="organization">The organization of the connection.</param>
/// <param name="reference">The reference, as in the configuration of the connection.</param>
/// <param name="ct">Cancels the operation.</param>
/// <returns>The secret.</returns>
/// <exception cref="Warehouses.WarehouseException">The secret could not be read.</exception>
public delegate Task<string> ResolveSecret(string organization, string reference, CancellationToken ct);
