using System.Diagnostics;
using Catalog.Data.Checks;
using Catalog.Data.Executions.Kinds;
using Catalog.Data.Warehouses;

namespace Catalog.Data.Executions;

/// <summary>
/// Runs checks against warehouses. All checks of a table that measure with aggregates share one statement. Each of the
/// remaining checks has its own statement. The sample of a check needs one more statement.
/// </summary>
public sealed class CheckRunner
{
    private readonly CheckRunContext _context;
    private readonly Func<CheckVerdict, Task> _report;

    private CheckRunner(CheckRunContext context, Func<CheckVerdict, Task> report) => (_context, _report) = (context, report);

    /// <summary>
    /// Runs checks and reports each verdict as soon as it is known. A check that cannot be evaluated has a verdict too.
    /// </summary>
    /// <param name="checks">The checks, of any connections and tables.</param>
    /// <param name="context">What the run needs.</param>
    /// <param name="report">Called once for each check, one call at a time.</param>
    /// <param name="ct">Cancels the work. Checks that have no verdict yet do not get one.</param>
    public static async Task Run(IReadOnlyList<Check> checks, CheckRunContext context, Func<CheckVerdict, Task> report,
        CancellationToken ct)
    {
        var runner = new CheckRunner(context, report);
        List<CheckDefinition> definitions = [];
        foreach (var check in checks)
        {
            if (CheckDefinition.Read(check, context.Time, out var errors) is not { } definition)
            {
                var (pointer, error) = errors.First();
                await report(VerdictRules.Error(check, $"{pointer.TrimStart('/').Replace('/', '.')} {error}"));
            }
            else if (check.ConnectionId is null)
            {
                await report(VerdictRules.Error(check, "it names no connection; set connection_id to a registered connection."));
            }
            else
            {
                definitions.Add(definition);
            }
        }

        foreach (var connection in definitions.GroupBy(definition => definition.Check.ConnectionId!, StringComparer.Ordinal))
        {
            await runner.RunConnection(connection.Key, [.. connection], ct);
        }
    }

    private async Task RunConnection(string connection, List<CheckDefinition> definitions, CancellationToken ct)
    {
        var session = new ReopenedSession(connection, _context.Open);
        await using (session)
        {
            try
            {
                var sql = (await session.Get(ct)).Sql;
                var allowed = new List<CheckDefinition>();
                foreach (var definition in definitions)
                {
                    if (definition.Parameters.RefuseSql(sql.Family) is { } refusal)
                    {
                        await _report(VerdictRules.Error(definition.Check, refusal, definition.Table));
                    }
                    else
                    {
                        allowed.Add(definition);
                    }
                }

                bool InScan(CheckDefinition definition) => definition is { Kind: { Scan: not null, Other: null }, GroupBy.Count: 0 }
                    && (definition.Kind.Statement is null || sql.HasQuantile);
                foreach (var table in allowed.Where(InScan).GroupBy(definition => definition.Table, StringComparer.Ordinal))
                {
                    foreach (var part in CheckScan.Parts([.. table], sql))
                    {
                        await RunScan(session, part, ct);
                    }
                }

                foreach (var definition in allowed.Where(definition => !InScan(definition)))
                {
                    await RunOne(session, definition, ct);
                }
            }
            catch (WarehouseException failure) when (!session.WasOpened)
            {
                foreach (var definition in definitions)
                {
                    await _report(VerdictRules.Error(definition.Check, failure.Message, definition.Table));
                }
            }
        }
    }

    private async Task RunScan(ReopenedSession session, List<CheckDefinition> checks, CancellationToken ct)
    {
        try
        {
            var (measures, duration) = await CheckScan.Run(await session.Get(ct), checks, ct);
            foreach (var (check, measure) in checks.Zip(measures))
            {
                await Report(session, check, measure, duration, ct);
            }
        }
        catch (WarehouseException failure)
        {
            await session.Close();
            await Separate(session, checks, failure, ct);
        }
        catch (NotSupportedException failure)
        {
            await RunUnsupported(session, checks, failure, ct);
        }
    }

    // The failure of a shared statement does not tell which check caused it. The columns of the table show which checks
    // name a missing column. If there are no such checks, each half of the checks runs in its own statement, until each
    // faulty check runs alone.
    private async Task Separate(ReopenedSession session, List<CheckDefinition> checks, WarehouseException failure, CancellationToken ct)
    {
        var columns = ConcernsOneCheck(failure.Problem) && (checks.Count > 1 || failure.Problem == WarehouseProblem.ColumnMissing)
            ? await session.Columns(checks[0].Table, ct) : null;
        string? Missing(CheckDefinition check) => columns is { Count: > 0 }
            ? check.Parameters.Columns().FirstOrDefault(column => !columns.Contains(column)) : null;
        var rest = checks.Where(check => Missing(check) is null).ToList();
        foreach (var check in checks.Except(rest))
        {
            await _report(VerdictRules.Error(check.Check, MissingNames.OfColumn(check.Table, Missing(check)!), check.Table));
        }

        if (rest.Count < checks.Count)
        {
            if (rest.Count > 0)
            {
                await RunScan(session, rest, ct);
            }
        }
        else if (checks.Count == 1 || columns is null or { Count: 0 })
        {
            foreach (var check in checks)
            {
                await _report(VerdictRules.Error(check.Check, await MissingNames.Describe(session, check, failure, ct), check.Table));
            }
        }
        else
        {
            await RunScan(session, checks[..(checks.Count / 2)], ct);
            await RunScan(session, checks[(checks.Count / 2)..], ct);
        }
    }

    private async Task RunUnsupported(ReopenedSession session, List<CheckDefinition> checks, NotSupportedException failure,
        CancellationToken ct)
    {
        if (checks.Count == 1)
        {
            await _report(VerdictRules.Error(checks[0].Check, failure.Message, checks[0].Table));
            return;
        }

        foreach (var check in checks)
        {
            await RunScan(session, [check], ct);
        }
    }

    private async Task RunOne(ReopenedSession session, CheckDefinition check, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            if (check.GroupBy.Count > 0)
            {
                var hidden = await HiddenColumns.Read(session, check, _context, ct);
                await _report(await CheckScan.RunGroups(await session.Get(ct), check, hidden, ct) is { } groups
                    ? VerdictRules.JudgeGroups(check, groups, clock.Elapsed, hidden.All)
                    : VerdictRules.Error(
                        check.Check, $"there are more than {check.MaxGroups} groups. Set params.max_groups to a higher number (at most "
                            + "1000), or group by columns with fewer values.",
                        check.Table));
                return;
            }

            var open = await session.Get(ct);
            var measure = check.Kind.Other is { } other ? await CompareTables(open, check, other, ct) : await Measure(open, check, ct);
            await Report(session, check, measure, clock.Elapsed, ct);
        }
        catch (WarehouseException failure)
        {
            var duration = clock.Elapsed;
            await session.Close();
            await _report(VerdictRules.Error(check.Check, await MissingNames.Describe(session, check, failure, ct), check.Table, duration));
        }
        catch (NotSupportedException failure)
        {
            await _report(VerdictRules.Error(check.Check, failure.Message, check.Table));
        }
    }

    private static async Task<Measure> Measure(WarehouseSession session, CheckDefinition check, CancellationToken ct)
    {
        var plan = check.Kind.Statement!(
            new(session.Sql, check.Table, check.Where));
        return plan.Read(await session.Query(plan.Sql, ct));
    }

    private async Task<Measure> CompareTables(WarehouseSession session, CheckDefinition check, OtherTable other, CancellationToken ct)
    {
        var (measures, _) = await CheckScan.Run(session, [check], ct);
        if (other.ConnectionId is null || other.ConnectionId == check.Check.ConnectionId)
        {
            return TableKinds.Compare(measures[0], await CountRows(session, other, ct), check.Parameters.Number("factor") ?? 1);
        }

        await using var second = await _context.Open(other.ConnectionId, ct);
        return check.Parameters.RefuseSql(second.Sql.Family) is { } refusal ? new() { Problem = refusal }
            : TableKinds.Compare(measures[0], await CountRows(second, other, ct), check.Parameters.Number("factor") ?? 1);
    }

    private static async Task<long> CountRows(WarehouseSession session, OtherTable other, CancellationToken ct)
    {
        var filter = other.Where is null ? "" : $" where ({other.Where})";
        return MeasuredValues.Count((await session.Query($"select count(*) from {session.Sql.Table(other.Table)}{filter}", ct)).Rows[0][0]);
    }

    private async Task Report(ReopenedSession session, CheckDefinition check, Measure measure, TimeSpan duration, CancellationToken ct)
    {
        if (measure.Problem is null && check.Kind.History is { } history)
        {
            measure = history.Compare(measure, await _context.History(check.Check, history.Points, ct));
        }

        var takesSample = check.Samples > 0 && measure.Failed > 0;
        var hidden = takesSample || check.Kind.ShowsValue ? await HiddenColumns.Read(session, check, _context, ct) : null;
        var verdict = VerdictRules.Judge(
            check, measure, duration, takesSample ? await CheckSamples.Read(session, check, hidden!, ct) : null);
        await _report(check.Kind.ShowsValue && check.Parameters.Columns().Any(hidden!.Contains)
            ? VerdictRules.HideValue(verdict, hidden!.Reason) : verdict);
    }

    private static bool ConcernsOneCheck(WarehouseProblem problem) => problem is WarehouseProblem.Sql or WarehouseProblem.ColumnMissing
        or WarehouseProblem.TableMissing or WarehouseProblem.PermissionDenied or WarehouseProblem.Refused or WarehouseProblem.TooMuchData;
}
