using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace Catalog.Data.Migrations.Engine;

/// <summary>
/// The migrator's own connection as DbUp is given it: DbUp opens and disposes the connection of each run, and this one must stay open.
/// A script on a connection of its own would outlive the lock: when the lock's session ends, the script would still commit.
/// </summary>
internal sealed class LentConnection(DbConnection connection) : IDbConnection
{
    [AllowNull]
    public string ConnectionString { get => connection.ConnectionString; set => throw new NotSupportedException(); }

    public int ConnectionTimeout => connection.ConnectionTimeout;

    public string Database => connection.Database;

    public ConnectionState State => connection.State;

    public IDbTransaction BeginTransaction() => connection.BeginTransaction();

    public IDbTransaction BeginTransaction(IsolationLevel il) => connection.BeginTransaction(il);

    public IDbCommand CreateCommand() => connection.CreateCommand();

    public void ChangeDatabase(string databaseName) => throw new NotSupportedException();

    public void Open()
    {
    }

    public void Close()
    {
    }

    public void Dispose()
    {
    }
}
