using Catalog.Data.Runs;

namespace Catalog.Tests.Runs;

/// <summary>Random events of one run.</summary>
internal static class RandomRunEvents
{
    public static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>2 to 8 events with random fields.</summary>
    /// <param name="random">The source of values.</param>
    /// <param name="minutes">The times are this many minutes from <see cref="Noon"/> on.</param>
    /// <param name="attempts">The greatest number of an attempt.</param>
    public static EventFields[] Any(Random random, int minutes, int attempts = 1)
    {
        string[] words = ["pending", "running", "completed", "failed", "cancelled", "skipped"];
        DateTimeOffset? RandomTime() => random.Next(4) == 0 ? null : Noon.AddMinutes(random.Next(minutes));
        string? RandomText(string text) => random.Next(2) == 0 ? null : $"{text} {random.Next(3)}";
        ClearableFields RandomNulls() => random.Next(3) == 0 ? (ClearableFields)random.Next(32) : ClearableFields.None;
        return
        [
            .. Enumerable.Range(0, random.Next(2, 9)).Select(i => new EventFields
            {
                Number = i,
                ReceivedAt = Noon.AddMinutes(random.Next(minutes)).AddSeconds(i),
                Attempt = attempts == 1 || random.Next(4) > 0 ? null : random.Next(1, attempts + 1),
                Status = words[random.Next(words.Length)],
                StartedAt = RandomTime(),
                CompletedAt = random.Next(2) == 0 ? null : RandomTime(),
                RecordsProcessed = random.Next(3) == 0 ? null : random.Next(5),
                ErrorMessage = RandomText("error"),
                Trigger = RandomText("trigger"),
                Metadata = random.Next(2) == 0 ? null : $$"""{"metadata": {{random.Next(3)}}}""",
                Clears = RandomNulls(),
                CheckGate = random.Next(6) == 0 ? false : null,
                Stages = random.Next(2) == 0
                    ? [] : [new StageReport { StageName = $"stage {random.Next(2)}", Status = words[random.Next(words.Length)],
                        CompletedAt = RandomTime(), RecordsProcessed = random.Next(3) == 0
                            ? null : random.Next(4), ErrorMessage = RandomText("error"), Clears = RandomNulls() }],
            }),
        ];
    }

    /// <summary>A run without its ids and times of storage, as a text to compare.</summary>
    public static string Comparable(RunDetail detail) =>
        detail.Run with { Id = "", CreatedAt = default, UpdatedAt = default } + string.Concat(
            detail.Stages.Select(stage => stage with { RunId = "" })) + string.Concat(detail.Attempts!);

    /// <summary>Attempts that follow each other by 61 s to 10 minutes, of which some clients name the number.</summary>
    public static (EventFields[] Events, List<RunAttempt> Attempts) WithAttempts(Random random)
    {
        List<EventFields> events = [];
        List<RunAttempt> attempts = [];
        var (start, names, count) = (Noon, random.Next(2) == 0, random.Next(1, 5));
        for (var number = 1; number <= count; number++)
        {
            var end = start.AddSeconds(random.Next(1, 600));
            var failed = random.Next(2) == 0;
            var fields = new EventFields { Attempt = names ? number : null };
            events.AddRange([
                fields with { Status = "running", StartedAt = start, Metadata = $$"""{"try": {{number}}}""",
                    ExternalUrl = number == 1 ? "url" : null },
                fields with { Stages = [new StageReport { StageName = $"stage {number}", Status = "completed", CompletedAt = end }] },
                fields with { Status = failed ? "failed" : "completed", StartedAt = random.Next(2) == 0 ? start : null, CompletedAt = end,
                    RecordsProcessed = number, ErrorMessage = failed ? $"error {number}" : null },
            ]);
            attempts.Add(new()
            {
                Attempt = number,
                Status = failed ? "failed" : "completed",
                StartedAt = start,
                CompletedAt = end,
                RecordsProcessed = number,
                ErrorMessage = failed ? $"error {number}" : null,
            });
            start = end.AddSeconds(random.Next(61, 600));
        }

        return ([.. events.Select((@event, i) => @event with { Number = i })], attempts);
    }
}

/// <summary>The fields of an event that a test sets; the run, the digest and the body are added.</summary>
internal sealed record EventFields
{
    public int Number { get; init; }
    public DateTimeOffset ReceivedAt { get; init; } = RandomRunEvents.Noon;
    public int? Attempt { get; init; }
    public string? Status { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public long? RecordsProcessed { get; init; }
    public string? ErrorMessage { get; init; }
    public string? Trigger { get; init; }
    public string? ExternalUrl { get; init; }
    public string? Metadata { get; init; }
    public ClearableFields Clears { get; init; }
    public bool? CheckGate { get; init; }
    public IReadOnlyList<StageReport> Stages { get; init; } = [];

    public RunEvent ToEvent(string runId, string pipelineId) => new()
    {
        RunId = runId,
        PipelineId = pipelineId,
        Status = Status,
        StartedAt = StartedAt,
        CompletedAt = CompletedAt,
        RecordsProcessed = RecordsProcessed,
        ErrorMessage = ErrorMessage,
        Trigger = Trigger,
        ExternalUrl = ExternalUrl,
        Metadata = Metadata,
        Clears = Clears,
        CheckGate = CheckGate,
        Stages = Stages,
        Attempt = Attempt,
        Digest = BitConverter.GetBytes(Number),
        Body = "{}",
    };
}
