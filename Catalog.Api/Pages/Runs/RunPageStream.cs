using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Api.Pages.Live;
using Catalog.Api.Runs;
using Catalog.Api.SignIn;
using Catalog.Data.Checks;
using Catalog.Data.Runs;

namespace Catalog.Api.Pages.Runs;

/// <summary>
/// The stream of a run's page. It sends the state of the run as HTML each time the state changes, until one minute
/// after the end of the run.
/// </summary>
internal sealed class RunPageStream(
    RunChangeNotifier live, RunRepository runs, CheckResultRepository resultRows, ComponentRenderer renderer,
    SessionTicket tickets, TimeProvider time,
    IHostApplicationLifetime lifetime) : IDisposable
{
    /// <summary>The name of the event after the last message. The page then closes the stream.</summary>
    public const string Ended = "ended";

    // A message at this interval keeps the connection open through proxies. The stream also checks at this interval
    // whether the session has ended.
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    // The state is also sent without a change, because the bars of running stages grow. It can be large, so only every
    // sixth beat contains it.
    private const int BeatsBetweenStates = 6;

    // The stream continues for this number of beats after the end. Results of checks often arrive then, and they can
    // still fail the run.
    private const int BeatsAfterEnd = 12;

    // One state is rendered at a time, because rendering keeps a processor busy. Without this limit, many pages that
    // follow a large run would stop all other requests.
    private readonly SemaphoreSlim _rendering = new(1);

    /// <summary>Follows a run. The first message is the current state, so a page that reconnects catches up.</summary>
    public IResult Follow(string id, HttpContext context)
    {
        if (live.Start(Caller.Of(context.User).Organization, id) is not { } watch)
        {
            return TypedResults.NoContent();
        }

        // nginx collects a response before it sends it, unless the response says otherwise.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.ServerSentEvents(Messages(watch, context));
    }

    public void Dispose() => _rendering.Dispose();

    private async IAsyncEnumerable<SseItem<string>> Messages(
        RunChangeNotifier.Watch watch, HttpContext context, [EnumeratorCancellation] CancellationToken ct = default)
    {
        using var _ = watch;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, context.RequestAborted, lifetime.ApplicationStopping);
        RunItem? run = null;
        IReadOnlyList<CheckResultItem> results = [];
        var (beatsAfterEnd, beatsWithoutState) = (0, -1);
        while (!stop.IsCancellationRequested)
        {
            var version = await NextVersion(watch, stop.Token);
            if (stop.IsCancellationRequested || !await tickets.StillValid(context))
            {
                yield break;
            }

            if (version is not null || run is null)
            {
                run = await runs.Find(watch.Organization, watch.RunId, stop.Token) is { } found ? RunItem.From(found) : null;
                var page = await resultRows.OfRun(watch.Organization, watch.RunId, null, RunPages.MaxResults, stop.Token);
                results = [.. (page?.Items ?? []).Select(CheckResultItem.From)];
            }

            if (run is null)
            {
                yield return new("", Ended);
                yield break;
            }

            beatsWithoutState = version is null ? beatsWithoutState + 1 : 0;
            yield return beatsWithoutState % BeatsBetweenStates == 0
                ? new(await Render(run, results, context, stop.Token)) : new("", "beat");
            beatsAfterEnd = RunState.HasEnded(run) ? beatsAfterEnd + 1 : 0;
            if (beatsAfterEnd > BeatsAfterEnd)
            {
                yield return new("", Ended);
                yield break;
            }
        }
    }

    private async Task<string> Render(RunItem run, IReadOnlyList<CheckResultItem> results, HttpContext context, CancellationToken ct)
    {
        await _rendering.WaitAsync(ct);
        try
        {
            return await renderer.Render<RunState>(
                (nameof(RunState.Run), run), (nameof(RunState.Results), results), (nameof(RunState.Viewer), Viewer.Of(context)));
        }
        finally
        {
            _rendering.Release();
        }
    }

    private async Task<string?> NextVersion(RunChangeNotifier.Watch watch, CancellationToken ct)
    {
        try
        {
            return await watch.Next(Beat, time, ct);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
