using Catalog.Data.Billing;
using Catalog.Data.Checks;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.DatasetReadiness;
using Catalog.Data.Events;
using Catalog.Data.Executions;
using Catalog.Data.Ingest;
using Catalog.Data.Lineage;
using Catalog.Data.Marquez;
using Catalog.Data.Organizations;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Catalog.Data.Search;
using Catalog.Data.SignIn;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Catalog.Data;

/// <summary>
/// Registers the database and its repositories. All are singletons, because the data source pools connections and a
/// repository has no state.
/// </summary>
public static partial class CatalogData
{
    /// <summary>Adds the services that read and write the Catalog's own database.</summary>
    public static IServiceCollection AddCatalogData(this IServiceCollection services, DatabaseSettings settings, IngestSettings ingest) =>
        services
        .AddSingleton(settings)
        .AddSingleton(provider => Open(settings, provider.GetRequiredService<ILogger<CatalogDatabase>>()))
        .AddSingleton<PipelineRepository>()
        .AddSingleton<PipelineRegistration>()
        .AddSingleton<PipelineRuns>()
        .AddSingleton<PipelineDurations>()
        .AddSingleton<PipelineHistory>()
        .AddSingleton<OverduePipelines>()
        .AddSingleton<FailingPipelines>()
        .AddSingleton<RunRepository>()
        .AddSingleton<RunEventRepository>()
        .AddSingleton<RunNeighbors>()
        .AddSingleton<RunChangeTokens>()
        .AddSingleton<HourlyRunCounts>()
        .AddSingleton<CheckRepository>()
        .AddSingleton<CheckResultRepository>()
        .AddSingleton<CheckStateRepository>()
        .AddSingleton<CheckStatusChanges>()
        .AddSingleton(ingest)
        .AddSingleton<ResultIngest>()
        .AddHostedService(provider => provider.GetRequiredService<ResultIngest>())
        .AddSingleton<EventIngest>()
        .AddHostedService(provider => provider.GetRequiredService<EventIngest>())
        .AddSingleton<RunIngest>()
        .AddHostedService(provider => provider.GetRequiredService<RunIngest>())
        .AddSingleton<ExecutionRepository>()
        .AddSingleton<ExecutionJobs>()
        .AddSingleton<ScheduleTicks>()
        .AddSingleton<VerdictStore>()
        .AddSingleton<ConnectionRepository>()
        .AddSingleton<OrganizationRepository>()
        .AddSingleton<ApiKeyRepository>()
        .AddSingleton<AuditRepository>()
        .AddSingleton<DataProtectionKeyRepository>()
        .AddSingleton<EndedSessionRepository>()
        .AddSingleton<BillingRepository>()
        .AddSingleton<RequestRateRepository>()
        .AddSingleton(LineageBudget.Default)
        .AddSingleton<LineageRepository>()
        .AddSingleton<LineagePaths>()
        .AddSingleton<ColumnLineageRepository>()
        .AddSingleton<RunLineageRepository>()
        .AddSingleton<UnreadFacetRepository>()
        .AddSingleton<DatasetRepository>()
        .AddSingleton<DatasetFactRepository>()
        .AddSingleton<DatasetSummaries>()
        .AddSingleton(provider => ActivatorUtilities.CreateInstance<ReadinessRepository>(provider, ReadinessRepository.DefaultBudget))
        .AddSingleton<SearchRepository>()
        .AddSingleton<MarquezJobs>()
        .AddSingleton<MarquezJobDetails>()
        .AddSingleton<MarquezRuns>()
        .AddSingleton<MarquezDatasets>()
        .AddSingleton<MarquezDatasetDetails>()
        .AddSingleton<MarquezGraph>()
        .AddSingleton<MarquezNamespaces>()
        .AddSingleton<MarquezEvents>()
        .AddSingleton<MarquezSearch>()
        .AddSingleton<MarquezStatistics>();

    private static CatalogDatabase Open(DatabaseSettings settings, ILogger log) => DatabaseFactory.Open(
        settings,
        settings.Echo ? (sql, duration) => LogStatement(log, duration.TotalMilliseconds, sql) : null,
        warning => LogWarning(log, warning));

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private static partial void LogWarning(ILogger log, string warning);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Milliseconds:0.000} ms: {Sql}")]
    private static partial void LogStatement(ILogger log, double milliseconds, string sql);
}
