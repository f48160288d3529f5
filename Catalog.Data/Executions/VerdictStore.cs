using System.Security.Cryptography;
using System.Text;
using Catalog.Data.Checks;

namespace Catalog.Data.Executions;

/// <summary>
/// Stores verdicts as ordinary check results. The id of a result is derived from the execution and the check, so a
/// replica that repeats a check after a takeover stores no second result.
/// </summary>
public sealed class VerdictStore(ExecutionJobs jobs, ResultIngest ingest, CheckResultRepository results, TimeProvider time)
{
    private static readonly TimeSpan FullQueuePause = TimeSpan.FromMilliseconds(200);

    /// <summary>Stores the verdict of a check and then its outcome in the execution.</summary>
    /// <param name="organization">The organization.</param>
    /// <param name="job">The execution.</param>
    /// <param name="claim">The claim; when it was lost, the outcome is not stored.</param>
    /// <param name="place">The position of the check in the execution, from 0.</param>
    /// <param name="verdict">The verdict.</param>
    /// <param name="ct">Cancels the wait for room in the ingest queue.</param>
    public async Task Store(string organization, ExecutionJob job, string claim, long place, CheckVerdict verdict, CancellationToken ct)
    {
        var result = ResultOf(organization, job, verdict);
        var outcome = await Enqueue(organization, result, ct);
        // A repeated check keeps the verdict that was stored first.
        var stored = outcome == ResultOutcome.Duplicate ? await results.Find(organization, result.Id, ct) ?? result : result;
        var refusal = outcome switch
        {
            ResultOutcome.PipelineUnknown =>
                "The result was not stored: the pipeline of the check is no longer registered. Register it again.",
            ResultOutcome.RunIdTaken =>
                "The result was not stored: the run belongs to another pipeline. Execute the check with another run_id.",
            ResultOutcome.IdTaken or ResultOutcome.KeyReused =>
                "The result was not stored: another result has its id. Execute the check again.",
            _ => null,
        };
        await jobs.Store(organization, job.Id, claim, new()
        {
            Place = place,
            PipelineId = stored.PipelineId,
            CheckId = stored.CheckId,
            Severity = stored.Severity,
            Status = refusal is null ? stored.Status : CheckStatus.Error,
            Message = refusal ?? stored.Message,
            ResultId = refusal is null ? stored.Id : null,
            TableName = verdict.Table,
            FailedRows = stored.FailedRows,
            TotalRows = stored.TotalRows,
            DurationSeconds = stored.DurationSeconds,
            FinishedAt = time.Now(),
        }, ct);
    }

    private async Task<ResultOutcome> Enqueue(string organization, CheckResult result, CancellationToken ct)
    {
        var bytes = 1024L + (result.Message?.Length ?? 0) + (result.Metadata?.Length ?? 0);
        while (true)
        {
            if (ingest.Enqueue(organization, [result], bytes) is { } stored)
            {
                return (await stored)[0];
            }

            await Task.Delay(FullQueuePause, time, ct);
        }
    }

    private CheckResult ResultOf(string organization, ExecutionJob job, CheckVerdict verdict)
    {
        var now = time.Now();
        var hash = SHA256.HashData(
            Encoding.UTF8.GetBytes($"{organization}\0{job.Id}\0{verdict.Check.PipelineId}\0{verdict.Check.Id}"));
        return new()
        {
            Id = new Guid(hash.AsSpan(0, 16), bigEndian: true).ToString(),
            PipelineId = verdict.Check.PipelineId,
            CheckId = verdict.Check.Id,
            RunId = job.RunId,
            Status = verdict.Status,
            Severity = verdict.Check.Severity,
            Dataset = verdict.Check.Dataset,
            ObservedValue = verdict.ObservedValue,
            ObservedNumber = verdict.ObservedNumber,
            Expected = verdict.Expected,
            FailedRows = verdict.FailedRows,
            TotalRows = verdict.TotalRows,
            Message = verdict.Message,
            ExecutedAt = now,
            DurationSeconds = verdict.Duration.TotalSeconds,
            Metadata = verdict.Metadata,
            // The hash leaves out the measured values: if a replica repeats the check, its result counts as the same
            // result.
            RequestHash = hash,
            CreatedAt = now,
        };
    }
}
