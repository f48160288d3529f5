using Catalog.Bench.Checks;
using Catalog.Bench.Load;
using Catalog.Bench.Micro;

namespace Catalog.Bench;

// An explicit class: top-level statements would create a Program, and the Program of Catalog.Api is visible here.
internal static class Bench
{
    private static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["micro", .. var filters]:
                return MicroBenchmarks.Run(filters);
            case ["load", .. var options] when !options.Contains("--help"):
                return await LoadRun.Run(options);
            case ["checks", .. var numbers]:
                return await CheckBenchmark.Run(numbers);
            default:
                Console.Error.WriteLine($"""
                    Usage: Catalog.Bench micro [--filter PATTERN]   measure single functions
                           Catalog.Bench checks [DUCKDB_ROWS POSTGRES_ROWS ROUNDS]  measure checks of a table
                           Catalog.Bench load [OPTION…] [WORKLOAD…]  measure the whole service and its references

                    {LoadOptions.Usage}
                    """);
                return 2;
        }
    }
}
