using System.Data.Common;

namespace Catalog.Data.Migrations;

/// <summary>Tries what requests need, so that readiness means that they would succeed.</summary>
internal abstract class RequestTrial
{
    /// <summary>Tries what requests need, and changes nothing: their role and context, the rights on each table, and a write.</summary>
    /// <param name="connection">One that no request uses.</param>
    /// <param name="before">What goes before the statements of requests; null: nothing.</param>
    /// <param name="ct">Stops.</param>
    /// <exception cref="DbException">What a request would meet.</exception>
    internal abstract Task Run(DbConnection connection, string? before, CancellationToken ct);
}
