using System.Collections.Concurrent;
using Catalog.Api.Executions;
using Catalog.Data.Checks;
using Catalog.Data.Executions;
using Catalog.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Executions;

/// <summary>
/// Stands in for warehouses whose checks end as a test wants. The kind of a check is its verdict (pass, warn, fail,
/// error), or <c>slow</c>: it takes until it is cancelled.
/// </summary>
internal sealed class ScriptedChecks
{
    /// <summary>The ids of the checks that began.</summary>
    public ConcurrentQueue<string> Began { get; } = new();

    /// <summary>The ids of the slow checks that were cancelled.</summary>
    public ConcurrentQueue<string> Cancelled { get; } = new();

    /// <summary>Starts a service whose checks end by this script.</summary>
    public CatalogApp App(TestDatabase database, params (string Name, string Value)[] settings) => new(database.Require(), settings)
    {
        Replace = services => services.AddSingleton<RunChecks>(Run),
    };

    public async Task Run(IReadOnlyList<Check> checks, CheckRunContext context, Func<CheckVerdict, Task> report, CancellationToken ct)
    {
        foreach (var check in checks)
        {
            Began.Enqueue(check.Id);
            if (check.Kind == "slow")
            {
                try
                {
                    await Task.Delay(Timeout.Infinite, ct);
                }
                finally
                {
                    Cancelled.Enqueue(check.Id);
                }
            }

            await report(new()
            {
                Check = check,
                Status = check.Kind!,
                ObservedValue = "3",
                ObservedNumber = 3,
                Expected = "0",
                FailedRows = check.Kind == CheckStatus.Fail ? 3 : 0,
                TotalRows = 1000,
                Message = $"scripted {check.Kind}",
                Duration = TimeSpan.FromSeconds(0.5),
                Table = check.Dataset,
            });
        }
    }
}
