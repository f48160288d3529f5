using System.Data.Common;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Catalog.Migrations.Retention;
using Dapper;

namespace Catalog.Migrations.Replay;

/// <summary>
/// Deletes rows from the shadow that retention removed from the live tables and whose events are still in the log.
/// Otherwise the replay would insert them again.
/// </summary>
/// <param name="connection">A connection to the live tables and the shadow.</param>
/// <param name="transaction">The transaction in which the tables are compared.</param>
/// <param name="organization">The organization.</param>
internal sealed class RemovedRows(DbConnection connection, DbTransaction transaction, string organization)
{
    private const string S = ReplayShadow.Schema;

    private const string OldResults = $"""
        -- RemovedRows.OldResults
        delete from {S}.check_results
        where organization_id = @organization and executed_at < @before and created_at < @before
          and not exists (select 1 from check_results as r
              where r.organization_id = @organization and r.id = {S}.check_results.id)
        """;

    private const string OldRuns = $"""
        select s.id
        from {S}.runs as s
        where s.organization_id = @organization
          and not exists (select 1 from runs as r where r.organization_id = @organization and r.id = s.id)
          and not exists (select 1 from {S}.lineage_events as log
              where log.organization_id = @organization and log.run_id = s.id and log.received_at >= @before)
        """;

    // Retention removes a pipeline that was deleted, as soon as it has neither runs nor results.
    private const string OldPipelines = $"""
        -- RemovedRows.OldPipelines
        delete from {S}.pipelines
        where organization_id = @organization
          and not exists (select 1 from pipelines as p where p.organization_id = @organization and p.id = {S}.pipelines.id)
          and not exists (select 1 from {S}.runs as r where r.organization_id = @organization and r.pipeline_id = {S}.pipelines.id)
          and not exists (select 1 from {S}.check_results as r
              where r.organization_id = @organization and r.pipeline_id = {S}.pipelines.id)
          and not exists (select 1 from {S}.lineage_events as log
              where log.organization_id = @organization and log.pipeline_id = {S}.pipelines.id and log.received_at >= @before)
        """;

    /// <summary>Deletes the removed rows from the shadow.</summary>
    /// <param name="database">The database.</param>
    /// <param name="days">For how many days the operator keeps data.</param>
    /// <param name="now">The current time.</param>
    /// <param name="ct">Cancels the operation.</param>
    public async Task Delete(MigrationDatabase database, RetentionDays days, DateTimeOffset now, CancellationToken ct)
    {
        var plan = await Plan(database, days, now, ct);
        if (plan.Find(part => part.Kind == RetentionKind.Results) is { } results)
        {
            await Execute(OldResults, results.Before, ct);
        }

        if (plan.Find(part => part.Kind == RetentionKind.Runs) is not { } runs)
        {
            return;
        }

        foreach (var (table, condition) in new[]
        {
            ("lineage_runs", "run_id"), ("run_datasets", "run_id"), ("run_events", "run_id"), ("check_results", "run_id"),
            ("facets", "subject = 'run' and subject_id"), ("runs", "id"),
        })
        {
            await Execute($"delete from {S}.{table} where organization_id = @organization and {condition} in ({OldRuns})", runs.Before, ct);
        }

        await Execute(OldPipelines, runs.Before, ct);
        foreach (var (table, condition) in new[]
        {
            ("pipeline_versions", "true"), ("pipeline_tags", "true"), ("facets", "subject = 'job'"),
        })
        {
            var id = table == "facets" ? "subject_id" : "pipeline_id";
            await Execute($"""
                delete from {S}.{table}
                where organization_id = @organization and {condition} and not exists (
                    select 1 from {S}.pipelines as p where p.organization_id = @organization and p.id = {S}.{table}.{id})
                """, runs.Before, ct);
        }
    }

    private async Task<List<RemovalPart>> Plan(MigrationDatabase database, RetentionDays days, DateTimeOffset now, CancellationToken ct)
    {
        try
        {
            return await RemovalPlan.Find(RemovalEngine.For(database), connection, transaction,
                RemovalScope.All with { Organization = organization }, days, now, ct);
        }
        // The organization has events and nothing else, so retention has nothing to remove.
        catch (MigrationException exception) when (exception.Fault == MigrationFault.UnknownTarget)
        {
            return [];
        }
    }

    private Task<int> Execute(string sql, DateTimeOffset before, CancellationToken ct) => connection.ExecuteAsync(
        new CommandDefinition(sql, new { organization, before }, transaction, commandTimeout: 0, cancellationToken: ct));
}
