using System.Globalization;

namespace Catalog.Bench.Load;

/// <summary>
/// Measures candidates in turns (A B C A B C …) and compares them within each round. Other load on the machine then
/// affects all of them alike.
/// </summary>
internal sealed class Comparison
{
    // Seconds. During the warm-up, pools open connections, statements are prepared, and the runtime recompiles hot
    // methods.
    private const int WarmUp = 12;

    private readonly List<(string Name, List<Sample> Samples)> _results = [];

    public static async Task<Comparison> Run(LoadOptions options, CancellationToken ct, params Candidate[] candidates)
    {
        var comparison = new Comparison();
        comparison._results.AddRange(candidates.Select(candidate => (candidate.Name, new List<Sample>())));
        foreach (var candidate in candidates)
        {
            await candidate.Run(Math.Max(WarmUp, options.Seconds), ct);
        }

        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var (index, candidate) in candidates.Index())
            {
                comparison._results[index].Samples.Add(await candidate.Run(options.Seconds, ct));
            }

            Console.Error.WriteLine(
                $"  round {round}: " + string.Join(
                    ", ", comparison._results.Select(result =>
                        string.Create(CultureInfo.InvariantCulture, $"{result.Name} {result.Samples[^1].Rate:N0}/s"))));
        }

        return comparison;
    }

    public double Median(string name, Func<Sample, double?> value) =>
        Statistics.Median(Of(name).Select(sample => value(sample) ?? double.NaN));

    /// <summary>The rate of one candidate relative to another: the median of the ratios of the rounds.</summary>
    public double Ratio(string name, string to) => RatioOf(name, to, sample => sample.Rate);

    /// <summary>A value of one candidate relative to that of another: the median of the ratios of the rounds.</summary>
    public double RatioOf(string name, string to, Func<Sample, double> value) =>
        Statistics.Median(Of(name).Zip(Of(to), (sample, reference) => value(sample) / value(reference)));

    /// <summary>Prints the medians of all rounds as a Markdown table.</summary>
    /// <param name="unit">The unit of the rate column, such as requests or rows.</param>
    /// <param name="reference">The candidate that the others are compared with; null for no comparison.</param>
    public void Print(string unit, string? reference = null)
    {
        Console.WriteLine(
            $"| | {unit}/s | {(reference is null ? "" : $"relative to {reference} | ")}p50 ms | p99 ms | service µs | Postgres µs | "
                + "not 2xx | acknowledged | lost |");
        Console.WriteLine($"|---|---|{(reference is null ? "" : "---|")}---|---|---|---|---|---|---|");
        foreach (var (name, samples) in _results)
        {
            string Cell(Func<Sample, double?> value, string format) => samples.Any(sample => value(sample) is null)
                ? "–" : Median(name, value).ToString(format, CultureInfo.InvariantCulture);
            Console.WriteLine(
                $"| {name} | {Cell(sample => sample.Rate, "N0")} | "
                    + $"{(reference is null ? "" : Statistics.Ratio(Ratio(name, reference)) + " | ")}{Cell(sample => sample.P50, "0.00")} | {Cell(sample => sample.P99, "0.00")} | "
                + $"{Cell(sample => sample.ServiceMicroseconds, "0.0")} | {Cell(sample => sample.PostgresMicroseconds, "0.0")} | "
                + $"{samples.Sum(sample => sample.Failed)} | "
                + $"{(samples.All(sample => sample.Lost is null) ? "–" : samples.Sum(sample => sample.Acknowledged).ToString("N0", CultureInfo.InvariantCulture))} | {(samples.All(sample => sample.Lost is null) ? "–" : samples.Sum(sample => sample.Lost))} |");
        }
    }

    private List<Sample> Of(string name) => _results.Single(result => result.Name == name).Samples;
}
