using System.Data;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Database.Sqlite;

/// <summary>
/// A connection of a <see cref="SqliteSource"/>, with its prepared statements. When it is disposed, it returns to the
/// source, which can keep it open for the next writer.
/// </summary>
/// <param name="connectionString">The connection string of the file.</param>
/// <param name="source">The source.</param>
/// <param name="writer">
/// The lock of the writers, which the connection holds while it is in use; null for a reader.
/// </param>
internal sealed class SqliteSourceConnection(string connectionString, SqliteSource source, SemaphoreSlim? writer)
    : SqliteConnection(connectionString)
{
    // The service has fewer statements over rows than this.
    private const int MaxPrepared = 200;

    private readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);
    private int _isInUse = 1;

    /// <summary>Begins another use of a connection that was kept.</summary>
    internal void Reuse() => _isInUse = 1;

    /// <summary>
    /// Returns the prepared command; prepares it if it does not exist yet. The connection disposes of the command.
    /// </summary>
    /// <param name="sql">Identifies the command.</param>
    /// <param name="prepare">Prepares the command.</param>
    internal SqliteCommand Prepared(string sql, Func<SqliteCommand> prepare)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            if (_prepared.Count == MaxPrepared)
            {
                DisposePrepared();
            }

            _prepared.Add(sql, command = prepare());
        }

        return command;
    }

    protected override void Dispose(bool disposing)
    {
        var wasInUse = Interlocked.Exchange(ref _isInUse, 0) == 1;
        if (!(wasInUse && disposing && State == ConnectionState.Open && Transaction is null && source.Keep(this)))
        {
            DisposePrepared();
            base.Dispose(disposing);
        }

        if (wasInUse)
        {
            writer?.Release();
        }
    }

    private void DisposePrepared()
    {
        foreach (var command in _prepared.Values)
        {
            command.Dispose();
        }

        _prepared.Clear();
    }
}
