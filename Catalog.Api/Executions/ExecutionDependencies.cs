using Catalog.Data.Checks;
using Catalog.Data.Executions;
using Catalog.Data.Pipelines;
using Catalog.Data.Warehouses;

namespace Catalog.Api.Executions;

/// <summary>Opens a session on a registered connection.</summary>
/// <exception cref="WarehouseException">The connection does not exist, or its warehouse cannot be reached.</exception>
internal delegate Task<WarehouseSession> OpenWarehouse(string organization, string connection, CancellationToken ct);

/// <summary>Runs checks and reports each verdict. The service uses <c>CheckRunner.Run</c>.</summary>
internal delegate Task RunChecks(IReadOnlyList<Check> checks, CheckRunContext context, Func<CheckVerdict, Task> report,
    CancellationToken ct);

/// <summary>What an execution needs besides its job.</summary>
internal sealed record ExecutionDependencies(ExecutionJobs Jobs, VerdictStore Verdicts, CheckResultRepository Results,
    PipelineRepository Pipelines, OpenWarehouse Open, RunChecks Runner, ConnectionConcurrency Turns, ExecutionErrorLog Errors,
    ExecutionMetrics Metrics, ExecutionSettings Settings, TimeProvider Time)
{
    /// <summary>Runs the checks of an execution. The checks of one connection run together.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="checks">The checks, in the order of the execution.</param>
    /// <param name="report">Stores a verdict.</param>
    /// <param name="ct">Cancels the checks.</param>
    public Task Run(string organization, IReadOnlyList<Check> checks, Func<CheckVerdict, Task> report, CancellationToken ct)
    {
        var context = new CheckRunContext
        {
            Open = (connection, stop) => Open(organization, connection, stop),
            History = (check, most, stop) => History(organization, check, most, stop),
            PiiColumns = (check, table, stop) => ReadPersonalColumns(organization, check, table, stop),
            Time = Time,
        };
        return Task.WhenAll(checks.GroupBy(check => check.ConnectionId!, StringComparer.Ordinal).Select(group =>
            Turns.Run(organization, group.Key, () => Runner([.. group], context, report, ct), ct)));
    }

    private async Task<IReadOnlySet<string>> ReadPersonalColumns(string organization, Check check, string table, CancellationToken ct) =>
        check.PipelineId.Length > 0 && await Pipelines.Find(organization, check.PipelineId, ct) is { } pipeline
            ? PersonalColumns.Of(pipeline.Body, check.Dataset ?? table, table) : new HashSet<string>();

    private async Task<IReadOnlyList<HistoryPoint>> History(string organization, Check check, int most, CancellationToken ct)
    {
        var page = await Results.List(organization, new() { PipelineId = check.PipelineId, CheckId = check.Id }, null, most, ct);
        return [.. page.Items.Select(result => new HistoryPoint(result.ExecutedAt, result.ObservedNumber, result.Status))];
    }
}
