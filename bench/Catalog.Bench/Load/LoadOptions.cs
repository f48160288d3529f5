namespace Catalog.Bench.Load;

/// <summary>The options of the command line.</summary>
internal sealed record LoadOptions
{
    public const string Usage = """
        Workloads: post bulk events list get lineage pages isolation growth scale retention sqlite memory start peers (default: all)

          --rounds N           rounds of each comparison (5)
          --seconds S          seconds of each measurement (4)
          --set NAME=VALUE     an environment variable of the service; may be repeated
          --growth-rows N      rows of the large table (10000000)
          --edges N            edges of the lineage graph (1000000)
          --memory-seconds S   seconds for which memory is measured (60)
          --starts N           number of starts of the service (10)
          --work DIR           folder for the temporary database (the system's temporary folder)
        """;

    public IReadOnlyList<string> Workloads { get; private init; } = [];
    public int Rounds { get; private init; } = 5;
    public int Seconds { get; private init; } = 4;
    public IReadOnlyDictionary<string, string> Set { get; private init; } = new Dictionary<string, string>();
    public int GrowthRows { get; private init; } = 10_000_000;
    public int Edges { get; private init; } = 1_000_000;
    public int MemorySeconds { get; private init; } = 60;
    public int Starts { get; private init; } = 10;
    public string Work { get; private init; } = Path.GetTempPath();

    /// <exception cref="BenchException">An argument is invalid.</exception>
    public static LoadOptions Read(string[] arguments)
    {
        var options = new LoadOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            string Value() => ++i < arguments.Length ? arguments[i] : throw new BenchException($"{arguments[i - 1]} requires a value.");
            int Number() => int.TryParse(Value(), out var number) && number > 0
                ? number : throw new BenchException($"{arguments[i - 1]} requires a whole number above 0.");
            options = arguments[i] switch
            {
                "--rounds" => options with { Rounds = Number() },
                "--seconds" => options with { Seconds = Number() },
                "--growth-rows" => options with { GrowthRows = Number() },
                "--edges" => options with { Edges = Number() },
                "--memory-seconds" => options with { MemorySeconds = Number() },
                "--starts" => options with { Starts = Number() },
                "--work" => options with { Work = Value() },
                "--set" => Value().Split('=', 2) is [var name, var value]
                    ? options with { Set = new Dictionary<string, string>(options.Set) { [name] = value } }
                    : throw new BenchException("--set requires NAME=VALUE."),
                ['-', ..] unknown => throw new BenchException($"Unknown option {unknown}.\n\n{Usage}"),
                var workload => options with { Workloads = [.. options.Workloads, workload] },
            };
        }

        return options;
    }
}

/// <summary>An error that the user can fix. Its message is printed without a stack trace.</summary>
internal sealed class BenchException(string message) : Exception(message);
