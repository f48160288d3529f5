using System.Collections.Concurrent;
using System.Threading.Channels;
using Catalog.Api.Background;
using Catalog.Data.Runs;

namespace Catalog.Api.Pages.Live;

/// <summary>
/// Tells the open pages of this replica that their run has changed. It asks the database once a second with one
/// statement for each organization. The number of open pages makes no difference.
/// </summary>
internal sealed class RunChangeNotifier(RunChangeTokens versions) : IRecurringWork
{
    /// <summary>
    /// The maximum number of pages that follow a run on this replica. Further pages do not update themselves.
    /// </summary>
    public const int MaxWatches = 500;

    /// <summary>
    /// The maximum number of these pages for one organization, so that one organization cannot use all of them.
    /// </summary>
    public const int MaxWatchesOfOrganization = 100;

    private readonly ConcurrentDictionary<Watch, byte> _watches = [];

    public string Name => "watch the runs of open pages";

    public TimeSpan Pause => TimeSpan.FromSeconds(1);

    /// <summary>Starts to watch a run. Dispose the watch to stop.</summary>
    /// <returns>The watch; null when there is no room for another watch.</returns>
    public Watch? Start(string organization, string runId)
    {
        if (!HasRoom(organization))
        {
            return null;
        }

        var watch = new Watch(organization, runId, gone => _watches.TryRemove(gone, out _));
        _watches[watch] = 0;
        return watch;
    }

    /// <summary>Whether another page of an organization can follow a run.</summary>
    public bool HasRoom(string organization) => _watches.Count < MaxWatches
        && _watches.Keys.Count(watch => watch.Organization == organization) < MaxWatchesOfOrganization;

    public async Task Run(CancellationToken ct)
    {
        foreach (var watches in _watches.Keys.GroupBy(watch => watch.Organization, StringComparer.Ordinal))
        {
            var current = await versions.Read(watches.Key, watches.Select(watch => watch.RunId).ToHashSet(StringComparer.Ordinal), ct);
            foreach (var watch in watches)
            {
                watch.Offer(current.GetValueOrDefault(watch.RunId) ?? "");
            }
        }
    }

    /// <summary>One page that follows a run.</summary>
    internal sealed class Watch(string organization, string runId, Action<Watch> stop) : IDisposable
    {
        // The channel keeps only the newest version. A page that reads slowly skips older versions.
        private readonly Channel<string> _versions = Channel.CreateBounded<string>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        private string? _last;

        public string Organization { get; } = organization;

        public string RunId { get; } = runId;

        /// <summary>Waits for a version that differs from the last one.</summary>
        /// <returns>
        /// The version; empty when the run does not exist; null when the time has passed without a change.
        /// </returns>
        public async Task<string?> Next(TimeSpan atMost, TimeProvider time, CancellationToken ct)
        {
            using var timeout = new CancellationTokenSource(atMost, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
            try
            {
                return await _versions.Reader.ReadAsync(either.Token);
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested && !ct.IsCancellationRequested)
            {
                return null;
            }
        }

        public void Offer(string version)
        {
            if (version != _last)
            {
                _last = version;
                _versions.Writer.TryWrite(version);
            }
        }

        public void Dispose() => stop(this);
    }
}
