using Catalog.Bench.Load;
using Catalog.Bench.Micro;

namespace Catalog.Bench;

// A class with a name, because the service's Program is visible here too.
internal static class Bench
{
    private static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["micro", .. var filters]:
                return Pieces.Run(filters);
            case ["load", .. var options] when !options.Contains("--help"):
                return await LoadRun.Run(options);
            default:
                Console.Error.WriteLine($"""
                    Usage: Catalog.Bench micro [--filter PATTERN]   what inner pieces cost
                           Catalog.Bench load [OPTION…] [WORKLOAD…]  the whole service beside its references

                    {LoadOptions.Usage}
                    """);
                return 2;
        }
    }
}
