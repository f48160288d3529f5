using System.Data.Common;
using System.Diagnostics;

namespace Catalog.Data.Database;

/// <summary>
/// One connection for statements of several organizations. Each statement runs in the context of its organization.
/// </summary>
public sealed class CrossOrganizationSession
{
    private readonly DbConnection _connection;
    private readonly DbTransaction? _transaction;
    private readonly Dialect _dialect;
    private readonly ContextSql? _contextSql;
    private readonly DatabaseOperation _state;
    private readonly Action<string, TimeSpan>? _echo;
    private string? _organization;

    internal CrossOrganizationSession(
        DbConnection connection, DbTransaction? transaction, Dialect dialect, ContextSql? contextSql, DatabaseOperation state,
        Action<string, TimeSpan>? echo) =>
        (_connection, _transaction, _dialect, _contextSql, _state, _echo) = (connection, transaction, dialect, contextSql, state, echo);

    /// <summary>Runs statements in order, in one round trip on Postgres. Statements without rows are skipped.</summary>
    public async Task Send(IEnumerable<Statement> statements, CancellationToken ct)
    {
        List<Statement> sent = [.. statements.Where(statement => statement.Count > 0)];
        if (sent.Count == 0)
        {
            return;
        }

        foreach (var statement in sent)
        {
            statement.ClearResults();
            statement.ContextSql = statement.Organization == _organization ? null : _contextSql;
            _organization = statement.Organization;
        }

        var began = Stopwatch.GetTimestamp();
        await _dialect.Send(_connection, _transaction, sent, ct);
        _state.RecordResponse();
        if (_echo is not null)
        {
            var duration = Stopwatch.GetElapsedTime(began);
            sent.ForEach(statement => _echo(statement.Sql, duration));
        }
    }

    /// <summary>
    /// A session for one organization on the same connection and transaction. It is valid until this object is used
    /// again.
    /// </summary>
    public Session ForOrganization(string organization)
    {
        _organization = null;
        return new(_connection, _transaction, _dialect, new(_contextSql, organization), _state, _echo);
    }
}
