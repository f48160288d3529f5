using Catalog.Api.Background;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Executions;

namespace Catalog.Api.Executions;

/// <summary>Queues executions for due ticks of schedules, once a second.</summary>
internal sealed class ScheduleWork(ScheduleTicks ticks, ExecutionSettings settings, ExecutionSignals signals, TimeProvider time)
    : IRecurringWork
{
    public string Name => "check schedules";

    public TimeSpan Pause { get; } = TimeSpan.FromSeconds(1);

    public async Task Run(CancellationToken ct)
    {
        if (settings.Workers == 0)
        {
            return;
        }

        try
        {
            await RunDue(ct);
        }
        catch (DatabaseUnavailableException)
        {
            // Readiness logs the outage. The ticks stay due and run after the outage.
        }
    }

    private async Task RunDue(CancellationToken ct)
    {
        foreach (var organization in await ticks.DueOrganizations(time.Now(), ct))
        {
            (int Ticks, bool More) moved;
            do
            {
                moved = await ticks.Run(organization, time.Now(), settings.Queue, ct);
                if (moved.Ticks > 0)
                {
                    signals.Wake();
                }
            }
            while (moved.More);
        }
    }
}
