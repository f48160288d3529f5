using Catalog.Data.Checks;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Lineage;
using Catalog.Data.Pipelines;
using Catalog.Data.Runs;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Data;

/// <summary>Registers the database and its repositories. All are singletons: the source pools, repositories hold no state.</summary>
public static class CatalogData
{
    /// <summary>Adds everything that reads and writes the Catalog's own database.</summary>
    public static IServiceCollection AddCatalogData(this IServiceCollection services, DatabaseSettings settings) => services
        .AddSingleton(settings)
        .AddSingleton(_ => Databases.Open(settings))
        .AddSingleton<PipelineRepository>()
        .AddSingleton<PipelineRegistration>()
        .AddSingleton<RunRepository>()
        .AddSingleton<RunEventRepository>()
        .AddSingleton<CheckRepository>()
        .AddSingleton<CheckResultRepository>()
        .AddSingleton<ConnectionRepository>()
        .AddSingleton(LineageBudget.Default)
        .AddSingleton<LineageRepository>()
        .AddSingleton<DatasetRepository>();
}
