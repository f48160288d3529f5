namespace Catalog.Bench.Load.Workloads;

internal static class PeersWorkload
{
    public static async Task<IReadOnlyList<Goal>> Run(Stand stand, CancellationToken ct) { await Task.CompletedTask; return []; }
}
