using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace Catalog.Data.Migrations.Engine;

/// <summary>
/// Passes the migrator's connection to DbUp. DbUp opens and disposes a connection for each run; this wrapper keeps the
/// connection open. DbUp must not use its own connection: the script could still commit after the session with the lock
/// has ended.
/// </summary>
internal sealed class NonClosingConnection(DbConnection connection) : IDbConnection
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
