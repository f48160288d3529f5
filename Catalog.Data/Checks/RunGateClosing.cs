using Catalog.Data.Database;

namespace Catalog.Data.Checks;

/// <summary>
/// Closes the gates of runs inside the transaction that stores their failed results. Afterwards
/// <see cref="CheckStateFold.FoldGates"/> opens the gates of runs whose failures are not the latest results of their
/// checks.
/// </summary>
internal sealed class RunGateClosing(Dialect dialect, Session session, string organization)
{
    private static readonly InputRows<Gate> Gates = new(
        new Column<Gate, string>("id", gate => gate.RunId),
        new Column<Gate, string>("pipeline_id", gate => gate.PipelineId),
        new Column<Gate, string>("gate_check_id", gate => gate.CheckId),
        new Column<Gate, DateTimeOffset>("created_at", gate => gate.At));

    private sealed record Gate(string RunId, string PipelineId, string CheckId, DateTimeOffset At);

    /// <summary>
    /// Closes the gate of each run that a failure of severity error names. An unknown run is created and belongs to the
    /// pipeline of the result. When another writer has created the run for another pipeline in the meantime, the
    /// failures are deleted again.
    /// </summary>
    /// <param name="stored">The stored results; the results of one run name one pipeline.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>The ids of the deleted results.</returns>
    public async Task<HashSet<string>> Close(List<CheckResult> stored, CancellationToken ct)
    {
        const string CloseGates = """
            -- RunGateClosing.Close
            insert into runs (organization_id, id, pipeline_id, status, gate_check_id, created_at, updated_at)
            select @organization, rows.id, rows.pipeline_id, 'failed', rows.gate_check_id, rows.created_at, rows.created_at
            from rows
            where true
            order by rows.id
            on conflict (organization_id, id) do update
            set status = case when runs.check_gate then 'failed' else runs.status end,
                gate_check_id = case when runs.gate_check_id < excluded.gate_check_id then runs.gate_check_id
                    else excluded.gate_check_id end,
                updated_at = excluded.updated_at
            where runs.pipeline_id = excluded.pipeline_id
            returning id
            """;
        var deleteResults = $"""
            -- RunGateClosing.DeleteOfOtherPipelines
            delete from check_results
            where organization_id = @organization and {dialect.IsAnyOf("id", "@ids")}
            """;
        var failures = stored.Where(result => result.ClosesGate).ToList();
        List<Gate> gates =
        [
            .. failures.GroupBy(result => result.RunId!, StringComparer.Ordinal)
                .Select(run => new Gate(run.Key, run.First().PipelineId, run.Select(result => result.CheckId).Min(StringComparer.Ordinal)!,
                    run.First().CreatedAt))
                .OrderBy(gate => gate.RunId, StringComparer.Ordinal),
        ];
        var closed = (await session.Run<Gate, string>(CloseGates, Gates, gates, ct)).ToHashSet(StringComparer.Ordinal);
        var ofOtherPipelines = failures.FindAll(result => !closed.Contains(result.RunId!));
        foreach (var results in ofOtherPipelines.Chunk(dialect.ListLimit))
        {
            await session.Execute(deleteResults, new { organization, ids = results.Select(result => result.Id).ToArray() }, ct);
            List<CheckStateFold.CheckKey> checks =
                [.. results.Select(result => new CheckStateFold.CheckKey(result.PipelineId, result.CheckId))];
            await session.Send(CheckStateFold.FoldAgain(organization, checks), ct);
        }

        return ofOtherPipelines.Select(result => result.Id).ToHashSet(StringComparer.Ordinal);
    }
}
