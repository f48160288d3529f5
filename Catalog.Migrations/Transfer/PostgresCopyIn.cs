using Npgsql;

namespace Catalog.Migrations.Transfer;

/// <summary>One COPY statement that loads rows. Disposal without <see cref="Complete"/> rolls back.</summary>
internal sealed class PostgresCopyIn(NpgsqlRawCopyStream stream, byte[] trailer) : IDisposable
{
    private bool _ended;

    /// <summary>Sends complete rows.</summary>
    public void Write(ReadOnlySpan<byte> rows) => stream.Write(rows);

    /// <summary>Ends the statement and waits until the server has committed it.</summary>
    public void Complete()
    {
        stream.Write(trailer);
        _ended = true;
        stream.Dispose();
    }

    public void Dispose()
    {
        if (_ended)
        {
            return;
        }

        // Without this call, disposing the stream would complete the statement.
        _ended = true;
        try
        {
            stream.Cancel();
        }
        catch (NpgsqlException)
        {
            // The server rejected the rows, or the connection is lost. In both cases the server rolls back, and the
            // original exception is already on its way to the caller.
        }
    }
}
