using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Api.Operations;

/// <summary>
/// Whether traffic may be sent here: the database answers and has the schema that this build wants. Looked at on a connection of
/// its own, at most once a second however many probes ask, and never for longer than <see cref="Patience"/>.
/// </summary>
internal sealed class Readiness : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly SchemaProbe _probe;
    private readonly TimeProvider _time;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly IsolationWatch _isolation;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private (SchemaState State, long At)? _last;

    public Readiness(DatabaseSettings settings, TimeProvider time, IHostApplicationLifetime lifetime, IsolationWatch isolation)
    {
        var (source, dialect, failures) = Databases.OpenForProbe(settings);
        _probe = new SchemaProbe(source, dialect, failures);
        _time = time;
        _lifetime = lifetime;
        _isolation = isolation;
    }

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

            return last.State.Ready && _isolation.Refusal is { } refusal ? new(false, last.State.Head, refusal) : last.State;
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
            return await _probe.Look(limit.Token);
        }
        catch (OperationCanceledException)
        {
            return new(false, null, SchemaProbe.Words(Unavailability.TimedOut));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _probe.DisposeAsync();
        _turn.Dispose();
    }
}
