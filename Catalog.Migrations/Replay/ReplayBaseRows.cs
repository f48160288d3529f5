using System.Data.Common;
using Catalog.Data;
using Catalog.Data.Pipelines;
using Dapper;

namespace Catalog.Migrations.Replay;

/// <summary>
/// Copies rows of an organization into the shadow: those that the folding of events needs but does not create.
/// </summary>
internal static class ReplayBaseRows
{
    private const string S = ReplayShadow.Schema;

    // These rows are always copied: the organization, its pipelines, and the runs with an event that is not in the log,
    // because a client reported it with POST /runs. Without these runs, an event of another pipeline with the same run id
    // would create the run. The pipelines are copied as not deleted, because EventLogFold itself leaves out the events
    // after a deletion.
    private static readonly string[] Always =
    [
        $"insert into {S}.organizations select * from organizations where organization_id = @organization",
        $"insert into {S}.pipelines select * from pipelines where organization_id = @organization",
        $"""
        insert into {S}.runs
        select *
        from runs
        where organization_id = @organization and id in (
            select e.run_id
            from run_events as e
            where e.organization_id = @organization and not exists (select 1 from lineage_events as log
                where log.organization_id = @organization and log.dialect in ('openlineage', 'dbt', 'otlp') and log.digest = e.digest))
        """,
        $"update {S}.pipelines set deleted_at = null where organization_id = @organization",
    ];

    // Events before the horizon created these rows, and later events need them: the aliases of datasets with their
    // datasets, and the lineage of runs that started before the horizon.
    private static readonly string[] BehindHorizon =
    [
        $"""
        insert into {S}.datasets
        select *
        from datasets
        where organization_id = @organization and id in (select dataset from dataset_aliases where organization_id = @organization)
        """,
        $"insert into {S}.dataset_aliases select * from dataset_aliases where organization_id = @organization",
        $"insert into {S}.lineage_runs select * from lineage_runs where organization_id = @organization and first_at < @horizon",
    ];

    /// <summary>Copies the rows.</summary>
    /// <param name="connection">A connection that writes to the shadow.</param>
    /// <param name="organization">The organization.</param>
    /// <param name="horizon">The time from which events are folded; null if the whole log is folded.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task Copy(DbConnection connection, string organization, DateTimeOffset? horizon, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        foreach (var sql in horizon is null ? Always : [.. Always, .. BehindHorizon])
        {
            await connection.ExecuteAsync(
                new CommandDefinition(sql, new { organization, horizon }, transaction, commandTimeout: 0, cancellationToken: ct));
        }

        if (horizon is null)
        {
            await ForgetDescriptions(connection, transaction, organization, ct);
        }

        await transaction.CommitAsync(ct);
    }

    // This is called only when the whole log is folded. It clears the descriptions and owners of pipelines that only
    // events report, because the events set them again.
    private static async Task ForgetDescriptions(
        DbConnection connection, DbTransaction transaction, string organization, CancellationToken ct)
    {
        const string Find = $"""
            -- ReplayBaseRows.FindDescriptions
            select id
            from {S}.pipelines
            where organization_id = @organization and current_version = '{PipelineVersion.Reported}'
              and (description is not null or owner is not null)
            """;
        const string Forget = $"""
            -- ReplayBaseRows.ForgetDescriptions
            update {S}.pipelines
            set description = null, owner = null, search_key = @key
            where organization_id = @organization and id = @id
            """;

        var described = await connection.QueryAsync<string>(
            new CommandDefinition(Find, new { organization }, transaction, cancellationToken: ct));
        var rows = described.Select(id => new { organization, id, key = SearchPattern.Fold(id) }).ToList();
        await connection.ExecuteAsync(new CommandDefinition(Forget, rows, transaction, cancellationToken: ct));
    }
}
