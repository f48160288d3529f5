namespace Catalog.Bench.Load;

/// <summary>What the command line asks for.</summary>
internal sealed record LoadOptions
{
    public const string Usage = """
        Workloads: post bulk list get lineage isolation growth retention sqlite memory start peers (default: all)

          --rounds N           rounds of each comparison, in turns (5)
          --seconds S          length of one sample (4)
          --set NAME=VALUE     an environment variable of the service; may be repeated
          --growth-rows N      results in the large table (10000000)
          --edges N            edges of the lineage graph (1000000)
          --memory-seconds S   how long memory is watched (60)
          --starts N           how often the service is started (10)
          --work DIR           where the throw-away database lies (the temporary folder)
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

    /// <exception cref="BenchException">An argument that means nothing.</exception>
    public static LoadOptions Read(string[] arguments)
    {
        var options = new LoadOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            string Value() => ++i < arguments.Length ? arguments[i] : throw new BenchException($"{arguments[i - 1]} takes a value.");
            int Number() => int.TryParse(Value(), out var number) && number > 0 ? number : throw new BenchException($"{arguments[i - 1]} takes a number above 0.");
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
                    : throw new BenchException("--set takes NAME=VALUE."),
                ['-', ..] unknown => throw new BenchException($"{unknown} is no option.\n\n{Usage}"),
                var workload => options with { Workloads = [.. options.Workloads, workload] },
            };
        }

        return options;
    }
}

/// <summary>Something that stands against the run and that its reader can mend.</summary>
internal sealed class BenchException(string message) : Exception(message);
