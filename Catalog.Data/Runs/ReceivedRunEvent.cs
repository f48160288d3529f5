namespace Catalog.Data.Runs;

/// <summary>An event with the time of its receipt, which is used if the event has no time of its own.</summary>
/// <param name="Event">The event.</param>
/// <param name="ReceivedAt">When it was first received.</param>
internal sealed record ReceivedRunEvent(RunEvent Event, DateTimeOffset ReceivedAt)
{
    public long? Attempt => Event.Attempt;

    public DateTimeOffset? StartedAt => Event.StartedAt;

    /// <summary>The end, or the start of the same event if that is later. (The clocks of clients can differ.)</summary>
    public DateTimeOffset? End => Event.CompletedAt < Event.StartedAt ? Event.StartedAt : Event.CompletedAt;

    /// <summary>The time that selects the attempt.</summary>
    public DateTimeOffset Place { get; } =
        Event.StartedAt ?? Event.CompletedAt ?? Event.Stages.Min(stage => stage.StartedAt ?? stage.CompletedAt) ?? ReceivedAt;

    /// <summary>The time that decides which of several values is the latest.</summary>
    public DateTimeOffset At { get; } = Event.At ?? Event.Stages.Max(stage => stage.At) ?? ReceivedAt;

    /// <summary>Folds the reports on stages.</summary>
    /// <param name="stages">The stages of the run by name. New stages are added.</param>
    /// <returns>The stages that are reported on.</returns>
    public IEnumerable<FoldedStage> ApplyTo(Dictionary<string, FoldedStage> stages)
    {
        var reported = new List<FoldedStage>(Event.Stages.Count);
        foreach (var report in Event.Stages)
        {
            if (!stages.TryGetValue(report.StageName, out var stage))
            {
                stages.Add(report.StageName, stage = new() { RunId = Event.RunId, StageName = report.StageName });
            }

            stage.Apply(report, At);
            reported.Add(stage);
        }

        return reported;
    }

    /// <summary>Whether the receipt is the only time of an event.</summary>
    public static bool IsItsOnlyTime(RunEvent @event) => @event.At is null && @event.Stages.All(stage => stage.At is null);
}
