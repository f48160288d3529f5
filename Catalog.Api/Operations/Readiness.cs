using System.Diagnostics.Metrics;
using Catalog.Api.Background;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Api.Operations;

/// <summary>
/// Whether this replica can serve requests: the database is available, has the schema of this build, and accepts reads
/// and writes. The check uses its own connection, runs at most once a second however many probes call it, and takes no
/// longer than about <see cref="MaxWait"/>. Each change is logged with its reason, even when no probe calls.
/// </summary>
internal sealed partial class Readiness : IRecurringWork, IAsyncDisposable
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);
    private readonly SchemaProbe _probe;
    private readonly Func<Exception, string?> _explain;
    private readonly TimeProvider _time;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly RowSecurityMonitor _isolation;
    private readonly ILogger<Readiness> _log;
    private readonly SemaphoreSlim _checkLock = new(1, 1);
    private (SchemaProbeResult State, long At)? _last;
    private volatile SchemaProbeResult? _measured;
    private string? _logged = "";

    public Readiness(
        DatabaseSettings settings, CatalogDatabase database, TimeProvider time, IHostApplicationLifetime lifetime,
        RowSecurityMonitor isolation, IMeterFactory meters, ILogger<Readiness> log)
    {
        _explain = exception => DatabaseFactory.DescribeFailure(settings, exception);
        _probe = new SchemaProbe(settings, database.ContextSql);
        (_time, _lifetime, _isolation, _log) = (time, lifetime, isolation, log);
        var meter = meters.Create("Catalog");
        meter.CreateObservableGauge("catalog.ready", () => _measured is { Ready: true } ? 1 : 0, null,
            "1 if this replica can serve requests, else 0");
        meter.CreateObservableGauge("catalog.schema.at_head", AtHead, null,
            "1 if all scripts of this build are applied, else 0; absent if the state of the schema could not be read");
        meter.CreateObservableGauge("catalog.schema.revision", Revision, null, "Always 1; the label is the newest applied script");
    }

    public string Name => "watch readiness";

    public TimeSpan Pause => TimeSpan.FromSeconds(5);

    public Task Run(CancellationToken ct) => Check(ct);

    public async Task<SchemaProbeResult> Check(CancellationToken ct)
    {
        if (_lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return new(false, null, "The service is shutting down.");
        }

        await _checkLock.WaitAsync(ct);
        try
        {
            if (_last is not { } last || _time.GetElapsedTime(last.At) >= TimeSpan.FromSeconds(1))
            {
                _last = last = (await CheckNow(), _time.GetTimestamp());
            }

            var state = last.State.Ready && _isolation.Refusal is { } refusal
                ? last.State with { Ready = false, Reason = refusal } : last.State;
            _measured = state;
            LogChange(state);
            return state;
        }
        finally
        {
            _checkLock.Release();
        }
    }

    private async Task<SchemaProbeResult> CheckNow()
    {
        using var limit = new CancellationTokenSource(MaxWait);
        try
        {
            // WaitAsync is needed, because the driver may ignore the token, for example when the server accepts the
            // connection and never answers.
            return await _probe.Check(limit.Token).WaitAsync(MaxWait + TimeSpan.FromMilliseconds(500));
        }
        catch (Exception timeout) when (timeout is OperationCanceledException or TimeoutException)
        {
            return new(false, null, SchemaProbe.Describe(Unavailability.TimedOut)) { Cause = _explain(new TimeoutException()) };
        }
    }

    private IEnumerable<Measurement<int>> AtHead() => _measured is { IsBehind: { } behind } ? [new(behind ? 0 : 1)] : [];

    private IEnumerable<Measurement<int>> Revision() =>
        _measured is { Head: { } head } ? [new(1, new KeyValuePair<string, object?>("revision", head))] : [];

    private void LogChange(SchemaProbeResult state)
    {
        if (state.Reason == _logged)
        {
            return;
        }

        _logged = state.Reason;
        if (state.Ready)
        {
            LogReady(state.Head!);
        }
        else
        {
            LogNotReady(state.Cause ?? state.Reason!);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _probe.DisposeAsync();
        _checkLock.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Ready: the schema is at {Revision}")]
    private partial void LogReady(string revision);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Not ready: {Reason}")]
    private partial void LogNotReady(string reason);
}
