using System.Diagnostics.Metrics;

namespace Catalog.Api.Background;

/// <summary>
/// Runs background work repeatedly. After each further failure in a row the pause doubles, to at most 30 seconds. A
/// pause that is already longer does not change. A failure of the work never stops the process.
/// </summary>
/// <typeparam name="TWork">The work.</typeparam>
internal sealed partial class Recurring<TWork>(TWork work, IMeterFactory meters, ILogger<TWork> log) : BackgroundService
    where TWork : IRecurringWork
{
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    private readonly Counter<long> _failures =
        meters.Create("Catalog").CreateCounter<long>("catalog.background.failures", "{failure}", "Failed runs of background work");

    private int _failed;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Pause(), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                await RunOnce(stoppingToken);
            }
        }

        if (work.RunsAtStop)
        {
            await RunOnce(CancellationToken.None);
        }
    }

    private TimeSpan Pause()
    {
        var pause = work.Pause * Math.Pow(2, Math.Min(_failed, 10));
        return pause < MaxPause || _failed == 0 ? pause : TimeSpan.FromTicks(Math.Max(MaxPause.Ticks, work.Pause.Ticks));
    }

    private async Task RunOnce(CancellationToken ct)
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
            // The service is stopping.
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Background work failed and will be retried: {Work}")]
    private partial void LogFailed(Exception failure, string work);

    [LoggerMessage(Level = LogLevel.Information, Message = "Background work succeeds again after {Failures} failures: {Work}")]
    private partial void LogRecovered(string work, int failures);
}

internal static class RecurringServices
{
    /// <summary>
    /// Registers the work as a singleton that other services can use, and repeats it while the service runs.
    /// </summary>
    public static IServiceCollection AddRecurring<TWork>(this IServiceCollection services) where TWork : class, IRecurringWork =>
        services.AddSingleton<TWork>().AddHostedService<Recurring<TWork>>();
}
