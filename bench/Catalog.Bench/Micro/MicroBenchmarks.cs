using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Catalog.Bench.Micro;

/// <summary>
/// Runs the BenchmarkDotNet classes of this folder. A new benchmark is a method in one of them, or a new class.
/// </summary>
internal static class MicroBenchmarks
{
    public static int Run(string[] arguments)
    {
        var artifacts = Directory.CreateTempSubdirectory("catalog-micro-").FullName;
        try
        {
            // In-process: the default toolchain generates a project, whose restore would fail because this repository
            // requires lock files.
            var config = ManualConfig.Create(DefaultConfig.Instance)
                .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
                .AddDiagnoser(MemoryDiagnoser.Default)
                .WithArtifactsPath(artifacts);
            var summaries = BenchmarkSwitcher.FromAssembly(typeof(MicroBenchmarks).Assembly)
                .Run(arguments.Length == 0 ? ["--filter", "*"] : arguments, config);
            return summaries.Any(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;
        }
        finally
        {
            Directory.Delete(artifacts, recursive: true);
        }
    }
}
