using System.Globalization;

namespace Catalog.Bench.Load;

/// <summary>
/// Lets contestants take turns (A B C A B C …), so that whatever else the machine does meets all of them alike, and compares them
/// within each round.
/// </summary>
internal sealed class Contest
{
    // Seconds that are not counted: pools open, statements are prepared, and the runtime compiles what is hot anew, on the same two processors.
    private const int WarmUp = 12;

    private readonly List<(string Name, List<Sample> Samples)> _results = [];

    public static async Task<Contest> Hold(LoadOptions options, CancellationToken ct, params Contestant[] contestants)
    {
        var contest = new Contest();
        contest._results.AddRange(contestants.Select(contestant => (contestant.Name, new List<Sample>())));
        foreach (var contestant in contestants)
        {
            await contestant.Run(Math.Max(WarmUp, options.Seconds), ct);
        }

        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var (index, contestant) in contestants.Index())
            {
                contest._results[index].Samples.Add(await contestant.Run(options.Seconds, ct));
            }

            Console.Error.WriteLine($"  round {round}: " + string.Join(", ", contest._results.Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Name} {result.Samples[^1].Rate:N0}/s"))));
        }

        return contest;
    }

    public double Median(string name, Func<Sample, double?> value) => Numbers.Median(Of(name).Select(sample => value(sample) ?? double.NaN));

    /// <summary>The median of the rounds' ratios of rates.</summary>
    public double Ratio(string name, string to) => RatioOf(name, to, sample => sample.Rate);

    /// <summary>The median of the rounds' ratios of something else.</summary>
    public double RatioOf(string name, string to, Func<Sample, double> value) => Numbers.Median(Of(name).Zip(Of(to), (one, other) => value(one) / value(other)));

    /// <summary>Prints the medians of all rounds as a Markdown table.</summary>
    /// <param name="counted">What a second's worth of is in the second column: requests, rows.</param>
    /// <param name="reference">Whom all others are compared with; null: nobody.</param>
    public void Print(string counted, string? reference = null)
    {
        Console.WriteLine($"| | {counted}/s | {(reference is null ? "" : $"beside {reference} | ")}p50 ms | p99 ms | service µs | Postgres µs | not 2xx | acknowledged | lost |");
        Console.WriteLine($"|---|---|{(reference is null ? "" : "---|")}---|---|---|---|---|---|---|");
        foreach (var (name, samples) in _results)
        {
            string Cell(Func<Sample, double?> value, string format) => samples.Any(sample => value(sample) is null) ? "–" : Median(name, value).ToString(format, CultureInfo.InvariantCulture);
            Console.WriteLine(
                $"| {name} | {Cell(sample => sample.Rate, "N0")} | {(reference is null ? "" : Numbers.Ratio(Ratio(name, reference)) + " | ")}{Cell(sample => sample.P50, "0.00")} | {Cell(sample => sample.P99, "0.00")} | "
                + $"{Cell(sample => sample.ServiceMicroseconds, "0.0")} | {Cell(sample => sample.PostgresMicroseconds, "0.0")} | {samples.Sum(sample => sample.Refused)} | "
                + $"{(samples.All(sample => sample.Lost is null) ? "–" : samples.Sum(sample => sample.Acknowledged).ToString("N0", CultureInfo.InvariantCulture))} | {(samples.All(sample => sample.Lost is null) ? "–" : samples.Sum(sample => sample.Lost))} |");
        }
    }

    private List<Sample> Of(string name) => _results.Single(result => result.Name == name).Samples;
}
