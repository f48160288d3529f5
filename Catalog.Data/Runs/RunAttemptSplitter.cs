namespace Catalog.Data.Runs;

/// <summary>
/// Splits the events of a run into attempts. The result depends only on the set of events, not on the order in which
/// they arrive. Events are visited in the order of their time. An event that names an attempt belongs to that attempt.
/// Every other event belongs to the latest attempt so far; but if its start is later than all ends of that attempt by
/// more than <see cref="FoldedRun.Skew"/>, it begins the next attempt.
/// </summary>
internal static class RunAttemptSplitter
{
    /// <summary>The maximum number of stored earlier attempts of a run. Older attempts are not stored.</summary>
    public const int MaxEarlier = 100;

    /// <param name="run">The row of the run.</param>
    /// <param name="kept">
    /// The stored attempts, if some events of the run are not known; empty when all events are known.
    /// </param>
    /// <param name="received">The events, each once.</param>
    /// <returns>The attempts by number, with their events. The last attempt has the shared fields.</returns>
    public static List<(FoldedRun Attempt, List<ReceivedRunEvent> Events)> Split(
        FoldedRun run, IReadOnlyList<FoldedRun> kept, IReadOnlyList<ReceivedRunEvent> received)
    {
        var attempts = new SortedDictionary<long, (FoldedRun Attempt, List<ReceivedRunEvent> Events)>();
        foreach (var attempt in kept)
        {
            attempts[attempt.Attempt] = (attempt, []);
        }

        var current = 1L;
        var ends = new Dictionary<long, DateTimeOffset>();
        foreach (var step in Ordered(kept, received))
        {
            var isLate = step.StartedAt is { } start && ends.TryGetValue(current, out var end) && start - end > FoldedRun.Skew;
            var number = step.Attempt ?? (isLate ? current + 1 : current);
            var begins = number > current;
            current = Math.Max(number, current);
            if (step.End is { } ended && !(ends.TryGetValue(number, out var latest) && latest >= ended))
            {
                ends[number] = ended;
            }

            if (!attempts.TryGetValue(number, out var attempt))
            {
                attempts.Add(number, attempt = (run.Empty(number), []));
            }

            attempt.Attempt.Begin = begins ? step.Place : attempt.Attempt.Begin;
            if (step.Received is { } report)
            {
                attempt.Events.Add(report);
                attempt.Attempt.Apply(report);
            }
        }

        var last = attempts[current].Attempt;
        if (kept.Count > 0)
        {
            last.TakeShared(run);
        }

        foreach (var report in received)
        {
            last.ApplyShared(report);
        }

        return [.. attempts.Values];
    }

    // At equal times, events without a start come first, and then events that name an attempt.
    private static IEnumerable<Step> Ordered(IReadOnlyList<FoldedRun> kept, IReadOnlyList<ReceivedRunEvent> received) =>
        kept.Select(attempt => new Step(attempt.Begin ?? DateTimeOffset.MinValue, attempt.Attempt, null, attempt.End, null))
            .Concat(received.Select(report => new Step(report.Place, report.Attempt, report.StartedAt, report.End, report)))
            .OrderBy(step => step.Place)
            .ThenBy(step => step.StartedAt is not null)
            .ThenBy(step => step.Attempt is null)
            .ThenBy(step => step.Received is null ? "" : Convert.ToHexString(step.Received.Event.Digest), StringComparer.Ordinal);

    private sealed record Step(
        DateTimeOffset Place, long? Attempt, DateTimeOffset? StartedAt, DateTimeOffset? End, ReceivedRunEvent? Received);
}
