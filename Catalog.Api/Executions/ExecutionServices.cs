using Catalog.Api.Background;
using Catalog.Api.Connections;
using Catalog.Data.Executions;
using Catalog.Data.Warehouses;

namespace Catalog.Api.Executions;

internal static class ExecutionServices
{
    /// <summary>Adds the executions of checks: their worker, schedules and limits.</summary>
    public static IServiceCollection AddExecutions(this IServiceCollection services, ExecutionSettings settings) => services
        .AddSingleton(settings)
        .AddSingleton<ExecutionSignals>()
        .AddSingleton<ExecutionWait>()
        .AddSingleton<ExecutionStart>().AddSingleton<ExecutionCancellation>()
        .AddSingleton<ConnectionConcurrency>()
        .AddSingleton<ExecutionMetrics>()
        .AddSingleton<ExecutionDependencies>()
        .AddSingleton<OpenWarehouse>(provider =>
        {
            var warehouses = provider.GetRequiredService<ConnectionWarehouses>();
            var limits = new WarehouseLimits { Timeout = settings.StatementTimeout };
            return (organization, connection, ct) => warehouses.Open(organization, connection, limits, ct);
        })
        .AddSingleton<RunChecks>(CheckRunner.Run)
        .AddHostedService<ExecutionWorker>()
        .AddRecurring<ExecutionErrorLog>()
        .AddRecurring<ExecutionQueueAge>()
        .AddRecurring<ScheduleWork>();
}
