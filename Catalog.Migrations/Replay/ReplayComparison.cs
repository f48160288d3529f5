using System.Data.Common;
using Catalog.Data.Database;
using Dapper;

namespace Catalog.Migrations.Replay;

/// <summary>Compares the live tables of one organization with the shadow, and replaces the rows that differ.</summary>
internal sealed class ReplayComparison(
    Dialect dialect, DbConnection connection, DbTransaction transaction, string organization, ReplayHorizon horizon, string resultOfLog)
{
    private const string Shadow = ReplayShadow.Schema;
    private const int Examples = 3;

    // If only a part of the log is folded, a table from which rows are deleted is compared only if its rows have a
    // time.
    private readonly List<ReplayTable> _tables =
        [.. ReplayTables.All(resultOfLog).Where(table => table.FirstAt is not null || horizon.FoldedFrom is null || !table.DeletesRows)];

    /// <summary>Counts the differences of each table.</summary>
    public async Task<List<ReplayedTable>> Compare(CancellationToken ct)
    {
        List<ReplayedTable> compared = [];
        foreach (var table in _tables)
        {
            List<string> examples = [];
            async Task<long> Count(string kind, string keys)
            {
                var count = await One<long>($"-- Replay.Compare {table.Name}\nselect count(*) from ({keys}) as counted", ct);
                if (count > 0)
                {
                    var rows = await Many<dynamic>($"{keys} limit {Examples}", ct);
                    examples.AddRange(rows.Select(row =>
                        $"{kind}: {string.Join(", ", ((IDictionary<string, object?>)row).Values.Select(Text))}"));
                }

                return count;
            }

            var (onlyLive, onlyReplayed, different) = (await Count("only live", table.OnlyLive(Shadow)),
                await Count("only replayed", table.OnlyReplayed(Shadow)), await Count("different", table.Different(Shadow)));
            compared.Add(new(table.Name, await Rows(table.LiveRows, ct), await Rows(table.ReplayedRows(Shadow), ct),
                onlyLive, onlyReplayed, different, examples));
        }

        return compared;
    }

    /// <summary>
    /// Replaces the rows that differ. Then folds again the runs and the states of checks that depend on these rows.
    /// </summary>
    /// <returns>The number of runs that were folded again.</returns>
    public async Task<int> Apply(CancellationToken ct)
    {
        var session = new CrossOrganizationSession(connection, transaction, dialect, null, new DatabaseOperation(), null);
        var again = new ReplayRefold(dialect, session.ForOrganization(organization), session, organization);
        await again.Find(Keys("run_events"), Keys("check_results"), Keys("runs"), Shadow, Parameters, ct);
        foreach (var table in _tables.AsEnumerable().Reverse().Where(table => table.DeletesRows))
        {
            await Execute(table.Delete(Shadow), ct);
        }

        foreach (var table in _tables.Where(table => table.InsertsRows))
        {
            await Execute(table.Insert(Shadow), ct);
        }

        await Execute(ReplayTables.Describe(Shadow), ct);
        await Execute(ReplayTables.DeleteDatasets(Shadow), ct);
        return await again.Run(ct);
    }

    private object Parameters => new
    {
        organization,
        horizon = horizon.FoldedFrom ?? DateTimeOffset.UnixEpoch,
        removed = horizon.RemovedBefore ?? DateTimeOffset.UnixEpoch,
    };

    private async Task<long> Rows(string rows, CancellationToken ct) =>
        await One<long>($"-- Replay.Rows\nselect count(*) from ({rows}) as counted", ct);

    private string Keys(string name)
    {
        var table = _tables.Single(table => table.Name == name);
        return $"{table.OnlyLive(Shadow)} union {table.OnlyReplayed(Shadow)} union {table.Different(Shadow)}";
    }

    private Task<T?> One<T>(string sql, CancellationToken ct) => connection.ExecuteScalarAsync<T>(Command(sql, ct));

    private Task<IEnumerable<T>> Many<T>(string sql, CancellationToken ct) => connection.QueryAsync<T>(Command(sql, ct));

    private Task<int> Execute(string sql, CancellationToken ct) => connection.ExecuteAsync(Command(sql, ct));

    private CommandDefinition Command(string sql, CancellationToken ct) =>
        new(sql, Parameters, transaction, commandTimeout: 0, cancellationToken: ct);

    private static string Text(object? value) => value switch
    {
        null => "null",
        byte[] bytes => Convert.ToHexStringLower(bytes.AsSpan(0, Math.Min(8, bytes.Length))),
        _ => value.ToString()!,
    };
}

/// <summary>How far back a replay reaches.</summary>
/// <param name="FoldedFrom">Events whose receipt and event time are both before this time are not folded. Null if the
/// whole log is folded.</param>
/// <param name="RemovedBefore">Retention removed the events that were received before this time; null if it removed
/// none.</param>
internal sealed record ReplayHorizon(DateTimeOffset? FoldedFrom, DateTimeOffset? RemovedBefore);
