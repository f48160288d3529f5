using System.Diagnostics.Metrics;

namespace Catalog.Api.Background;

/// <summary>
/// The one way to run background work: round after round, and after a failure with growing pauses. A failure of the work never ends
/// the process.
/// </summary>
/// <typeparam name="TWork">The work.</typeparam>
internal sealed partial class Recurring<TWork>(TWork work, IMeterFactory meters, ILogger<TWork> log) : BackgroundService
    where TWork : IRecurringWork
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Counter<long> _failures =
        meters.Create("Catalog").CreateCounter<long>("catalog.background.failures", "{failure}", "Rounds of background work that failed");

    private int _failed;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Pause(), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                await Round(stoppingToken);
            }
        }

        if (work.RunsAtStop)
        {
            await Round(CancellationToken.None);
        }
    }

    private TimeSpan Pause()
    {
        var pause = work.Pause * Math.Pow(2, Math.Min(_failed, 10));
        return pause < LongestPause || _failed == 0 ? pause : TimeSpan.FromTicks(Math.Max(LongestPause.Ticks, work.Pause.Ticks));
    }

    private async Task Round(CancellationToken ct)
    {
        try
        {
            await work.Run(ct);
            if (_failed > 0)
            {
                LogRecovered(work.Name, _failed);
            }

            _failed = 0;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The service stops.
        }
        catch (Exception failure)
        {
            _failures.Add(1, new KeyValuePair<string, object?>("work", work.Name));
            if (_failed++ == 0)
            {
                LogFailed(failure, work.Name);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Background work failed and is tried again: {Work}")]
    private partial void LogFailed(Exception failure, string work);

    [LoggerMessage(Level = LogLevel.Information, Message = "Background work succeeds again after {Failures} failures: {Work}")]
    private partial void LogRecovered(string work, int failures);
}

internal static class RecurringServices
{
    /// <summary>Registers a work, which other services may use too, and repeats it while the service runs.</summary>
    public static IServiceCollection AddRecurring<TWork>(this IServiceCollection services) where TWork : class, IRecurringWork =>
        services.AddSingleton<TWork>().AddHostedService<Recurring<TWork>>();
}
