using Catalog.Api.Background;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Api.Operations;

/// <summary>
/// Whether traffic may be sent here: the database answers, has the schema that this build wants, and takes what readers and writers
/// need. Looked at on a connection of its own, at most once a second however many probes ask, and never for longer than
/// <see cref="Patience"/>. Each change is logged with its reason, also where no probe asks.
/// </summary>
internal sealed partial class Readiness : IRecurringWork, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly SchemaProbe _probe;
    private readonly Func<Exception, string?> _explain;
    private readonly TimeProvider _time;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly IsolationWatch _isolation;
    private readonly ILogger<Readiness> _log;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private (SchemaState State, long At)? _last;
    private string? _logged = "";

    public Readiness(
        DatabaseSettings settings, CatalogDatabase database, TimeProvider time, IHostApplicationLifetime lifetime, IsolationWatch isolation,
        ILogger<Readiness> log)
    {
        _explain = exception => Databases.WhyUnreachable(settings, exception);
        _probe = new SchemaProbe(settings, database.ContextSql);
        (_time, _lifetime, _isolation, _log) = (time, lifetime, isolation, log);
    }

    public string Name => "watch readiness";

    public TimeSpan Pause => TimeSpan.FromSeconds(5);

    public Task Run(CancellationToken ct) => Look(ct);

    public async Task<SchemaState> Look(CancellationToken ct)
    {
        if (_lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return new(false, null, "The service is shutting down.");
        }

        await _turn.WaitAsync(ct);
        try
        {
            if (_last is not { } last || _time.GetElapsedTime(last.At) >= TimeSpan.FromSeconds(1))
            {
                _last = last = (await LookNow(), _time.GetTimestamp());
            }

            var state = last.State.Ready && _isolation.Refusal is { } refusal ? new(false, last.State.Head, refusal) : last.State;
            LogChange(state);
            return state;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<SchemaState> LookNow()
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            // Also where the driver does not heed the limit, as with a server that accepts and never answers.
            return await _probe.Check(limit.Token).WaitAsync(Patience + TimeSpan.FromMilliseconds(500));
        }
        catch (Exception late) when (late is OperationCanceledException or TimeoutException)
        {
            return new(false, null, SchemaProbe.Describe(Unavailability.TimedOut)) { Cause = _explain(new TimeoutException()) };
        }
    }

    private void LogChange(SchemaState state)
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
        _turn.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Ready: the schema is at {Revision}")]
    private partial void LogReady(string revision);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Not ready: {Reason}")]
    private partial void LogNotReady(string reason);
}
