using System.Collections.Concurrent;
using Catalog.Api.Background;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.SignIn;

namespace Catalog.Api.SignIn;

/// <summary>
/// The sessions that people have ended by signing out, on any replica. The replica that ended a session rejects copies
/// of its cookie at once; every other replica does so within <see cref="Pause"/>. The sessions are read in the
/// background, so that a page needs no statement for this.
/// </summary>
internal sealed class EndedSessions(EndedSessionRepository sessions, TimeProvider time) : IRecurringWork
{
    /// <summary>
    /// How long an ended session is remembered: longer than any cookie that was sent before it ended.
    /// </summary>
    public static readonly TimeSpan Kept = SignInServices.Lifetime + TimeSpan.FromHours(1);

    // Each read repeats this time before the last read, because the clocks of replicas differ, and a row may become
    // visible after a later row.
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _ended = new(StringComparer.Ordinal);

    // The time of the last read in UTC ticks; 0 before the first read.
    private long _readAt;

    public string Name => "ended sessions";

    public TimeSpan Pause => TimeSpan.FromSeconds(5);

    /// <summary>Reads the newly ended sessions, once before the service listens, and then in the background.</summary>
    public async Task Run(CancellationToken ct)
    {
        try
        {
            await Read(ct);
        }
        catch (DatabaseUnavailableException)
        {
            // The readiness check logs the reason.
        }
    }

    /// <summary>Whether a session has been ended.</summary>
    /// <exception cref="DatabaseUnavailableException">The sessions were not read yet and cannot be read now.</exception>
    public async ValueTask<bool> Contain(string id, CancellationToken ct)
    {
        if (Interlocked.Read(ref _readAt) == 0)
        {
            await Read(ct);
        }

        return _ended.ContainsKey(id);
    }

    /// <summary>Ends a session on all replicas. This is not cancelled when the browser closes the connection.</summary>
    public async Task End(string id)
    {
        var now = time.Now();
        var session = new EndedSession { Id = id, ExpiresAt = now + Kept };
        await sessions.Add(session, now, CancellationToken.None);
        _ended[id] = session.ExpiresAt;
    }

    private async Task Read(CancellationToken ct)
    {
        var now = time.Now();
        var last = Interlocked.Read(ref _readAt);
        // The expiry of an ended session is the time of its sign-out plus Kept. So sessions that ended after the last
        // read expire after that read plus Kept. Overlap allows for different clocks and late commits.
        var after = last == 0 ? now : new DateTimeOffset(last, TimeSpan.Zero) + Kept - Overlap;
        foreach (var session in await sessions.List(after, ct))
        {
            _ended[session.Id] = session.ExpiresAt;
        }

        Interlocked.Exchange(ref _readAt, now.UtcTicks);
        foreach (var (id, _) in _ended.Where(session => session.Value < now))
        {
            _ended.TryRemove(id, out _);
        }
    }
}
