namespace Catalog.Api.Pages.Drawing;

/// <summary>
/// The chain of stages that decides when the stages of a run end. Stages declare no dependencies, so the chain is read
/// from their times: it begins at the last end and goes back, each time to the stage that ended last before the start.
/// </summary>
/// <param name="Stages">The stages in the order of their start; at least two.</param>
/// <param name="Length">The time from the first start to the last end.</param>
/// <param name="Waiting">The part of the length in which none of the stages ran.</param>
/// <param name="IsOpen">Whether the last stage still runs.</param>
public sealed record CriticalPath(IReadOnlyList<TimelineStage> Stages, TimeSpan Length, TimeSpan Waiting, bool IsOpen)
{
    /// <returns>The path; null when it would have fewer than two stages.</returns>
    public static CriticalPath? Of(TimelineRun run)
    {
        // A stage without an end cannot run longer than its run.
        var until = run.EndedAt ?? run.Now;
        var known = run.Stages.Where(stage => stage.StartedAt is not null)
            .Select(stage => new Span(stage, stage.StartedAt!.Value, stage.EndedAt ?? until))
            .Where(span => span.End >= span.Start)
            .OrderBy(span => span.End).ThenByDescending(span => span.Start).ThenBy(span => span.Stage.Name, StringComparer.Ordinal)
            .ToArray();
        if (known.Length < 2)
        {
            return null;
        }

        List<Span> path = [known[^1]];
        for (var at = Before(known, known.Length - 1); at >= 0; at = Before(known, at))
        {
            path.Add(known[at]);
        }

        path.Reverse();
        var length = path[^1].End - path[0].Start;
        var busy = path.Aggregate(TimeSpan.Zero, (sum, span) => sum + (span.End - span.Start));
        return path.Count < 2 ? null : new(
            [.. path.Select(span => span.Stage)], length, length - busy, path[^1].Stage.EndedAt is null && run.EndedAt is null);
    }

    // The index of the stage that ended last before the stage at this place started, or -1. The index is always smaller
    // than the place, also when both stages took no time, so the walk ends.
    private static int Before(Span[] known, int place)
    {
        var (low, high) = (0, place);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = known[middle].End <= known[place].Start ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    private sealed record Span(TimelineStage Stage, DateTimeOffset Start, DateTimeOffset End);
}
