using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Executions;

/// <summary>Limits of executions.</summary>
/// <param name="Workers">The maximum number of executions that this replica runs at once; 0 means none.</param>
/// <param name="PerOrganization">
/// The maximum number of executions of one organization that all replicas together run at once.
/// </param>
/// <param name="PerWarehouse">The maximum number of executions that this replica runs at once on a connection.</param>
/// <param name="Queue">The maximum number of waiting executions of one organization.</param>
/// <param name="StatementTimeout">The longest time of one statement on a warehouse.</param>
/// <param name="Timeout">The longest time of one execution.</param>
/// <param name="Lease">The time until another replica takes over the executions of a replica that stopped.</param>
public sealed record ExecutionSettings(int Workers, int PerOrganization, int PerWarehouse, int Queue, TimeSpan StatementTimeout,
    TimeSpan Timeout, TimeSpan Lease)
{
    /// <summary>Reads the settings whose names begin with <c>DATAXPIPE_EXECUTION_</c>.</summary>
    /// <exception cref="SettingException">A value is not valid.</exception>
    public static ExecutionSettings Read(IConfiguration configuration) => new(
        Setting.Number(configuration, "DATAXPIPE_EXECUTION_WORKERS", 0, 64) ?? 4,
        Setting.Number(configuration, "DATAXPIPE_EXECUTION_PER_ORGANIZATION", 1, 64) ?? 4,
        Setting.Number(configuration, "DATAXPIPE_EXECUTION_PER_WAREHOUSE", 1, 64) ?? 2,
        Setting.Number(configuration, "DATAXPIPE_EXECUTION_QUEUE", 1, 100000) ?? 100,
        TimeSpan.FromSeconds(Setting.Number(configuration, "DATAXPIPE_EXECUTION_STATEMENT_TIMEOUT", 1, 3600) ?? 60),
        TimeSpan.FromSeconds(Setting.Number(configuration, "DATAXPIPE_EXECUTION_TIMEOUT", 1, 86400) ?? 3600),
        TimeSpan.FromSeconds(Setting.Number(configuration, "DATAXPIPE_EXECUTION_LEASE", 3, 600) ?? 30));
}
