using System.Data.Common;
using Catalog.Data.Database;

namespace Catalog.Data.Migrations;

/// <summary>Tests everything that requests need, so that a ready service can serve them.</summary>
internal abstract class ReadWriteCheck
{
    /// <summary>Tests role and context, the rights on each table, and a write. Changes nothing.</summary>
    /// <param name="connection">A connection outside the request pool.</param>
    /// <param name="contextSql">The SQL that sets role and context of requests; null when none is needed.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <exception cref="DbException">The error that a request would get.</exception>
    internal abstract Task Run(DbConnection connection, ContextSql? contextSql, CancellationToken ct);
}
