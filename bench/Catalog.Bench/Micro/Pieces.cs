using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Catalog.Bench.Micro;

/// <summary>Runs every class here that has benchmarks. A new piece is a new class in this folder, or a method in one of them.</summary>
internal static class Pieces
{
    public static int Run(string[] arguments)
    {
        var artifacts = Directory.CreateTempSubdirectory("catalog-micro-").FullName;
        try
        {
            // In this process: the toolchain that makes a project of its own would restore it under the house's lock files.
            var config = ManualConfig.Create(DefaultConfig.Instance)
                .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
                .AddDiagnoser(MemoryDiagnoser.Default)
                .WithArtifactsPath(artifacts);
            var summaries = BenchmarkSwitcher.FromAssembly(typeof(Pieces).Assembly).Run(arguments.Length == 0 ? ["--filter", "*"] : arguments, config);
            return summaries.Any(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)) ? 1 : 0;
        }
        finally
        {
            Directory.Delete(artifacts, recursive: true);
        }
    }
}
