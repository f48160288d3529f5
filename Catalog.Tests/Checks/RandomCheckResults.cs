using Catalog.Data.Checks;
using Catalog.Data.Runs;

namespace Catalog.Tests.Checks;

/// <summary>Random results and run events of one pipeline, and the states that follow from them.</summary>
internal static class RandomCheckResults
{
    public const string Nightly = "nightly";

    public static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static object[] Any(Random random)
    {
        string[] words = ["pass", "warn", "fail", "fail", "error"];
        return
        [
            .. Enumerable.Range(0, random.Next(3, 14)).Select(i =>
                (object)(Result($"check-{random.Next(3)}", words[random.Next(words.Length)], random.Next(4),
                    random.Next(4) == 0 ? null : $"run-{random.Next(2)}", random.Next(4) == 0 ? "warn" : "error", $"result-{i:00}"))),
            .. Enumerable.Range(0, random.Next(4)).Select(i => new RunEvent
            {
                RunId = $"run-{random.Next(2)}",
                PipelineId = Nightly,
                Status = i == 0 ? "completed" : "running",
                CheckGate = random.Next(6) == 0 ? false : null,
                Digest = [(byte)i],
                Body = "{}",
            }),
        ];
    }

    /// <summary>
    /// The expected tables after a history. The rules of the service are applied to the whole history at once.
    /// </summary>
    public static string Tables(object[] history)
    {
        var results = history.OfType<CheckResult>().ToList();
        var events = history.OfType<RunEvent>().ToLookup(@event => @event.RunId);
        CheckResult Latest(IEnumerable<CheckResult> of) =>
            of.OrderBy(result => (result.ExecutedAt, Rank(result))).ThenBy(result => result.Id, StringComparer.Ordinal).Last();
        var ofRuns = results.Where(result => result.RunId is not null)
            .GroupBy(result => (result.RunId!, result.CheckId)).Select(Latest).ToList();
        var runs = events.Select(run => run.Key).Union(results.Where(Closes).Select(result => result.RunId!))
            .Order(StringComparer.Ordinal).Select(id =>
            {
                var gate = ofRuns.Where(result => result.RunId == id && Closes(result)).Min(result => result.CheckId);
                var reported = events[id].Any(@event => @event.Status == "completed") ? "completed"
                    : events[id].Any() ? "running" : "pending";
                var closed = gate is not null && events[id].All(@event => @event.CheckGate is null);
                return $"run {id} {(closed ? "failed" : reported)} gate {gate}";
            });
        return Text(
            runs,
            results.GroupBy(result => result.CheckId).Select(Latest)
                .Select(result => $"{Line(result)} {result.Dataset} {result.ObservedNumber}"));
    }

    public static bool Closes(CheckResult result) => result is { RunId: not null, Status: "fail", Severity: "error" };

    public static int Rank(CheckResult result) => result.Status switch
    {
        "fail" => result.Severity == "error" ? 4 : 3,
        "error" => 2,
        "warn" => 1,
        _ => 0,
    };

    public static string Line(CheckResult result) =>
        $"{result.CheckId} {result.RunId} {result.Id} {result.Status} {result.Severity} {Rank(result)} {result.ExecutedAt:O}";

    public static string Text(params IEnumerable<string>[] tables) =>
        string.Join("\n\n", tables.Select(lines => string.Join('\n', lines.Order(StringComparer.Ordinal))));

    public static List<object[]> Requests(object[] items, Random random)
    {
        List<object[]> requests = [];
        for (var i = 0; i < items.Length;)
        {
            var bulk = items[i] is RunEvent ? 1 : items.Skip(i).TakeWhile(item => item is CheckResult).Take(random.Next(1, 6)).Count();
            requests.Add(items[i..(i + bulk)]);
            i += bulk;
        }

        return requests;
    }

    public static IEnumerable<object[]> Permutations(object[] items) => items.Length == 1
        ? [items]
        : items.SelectMany((first, i) => Permutations([.. items[..i], .. items[(i + 1)..]]).Select(rest => (object[])[first, .. rest]));

    public static CheckResult Result(string check, string status, int minute, string? run = null, string severity = "error",
        string? id = null) => new()
        {
            Id = id ?? $"{check}-{status}-{minute}-{run}",
            PipelineId = Nightly,
            CheckId = check,
            RunId = run,
            Status = status,
            Severity = severity,
            Dataset = $"set {minute}",
            ObservedNumber = minute,
            ExecutedAt = Noon.AddMinutes(minute),
            CreatedAt = Noon,
            RequestHash = [1],
        };
}
