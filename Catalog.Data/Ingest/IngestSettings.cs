using Catalog.Data.Database;
using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Ingest;

/// <summary>How check results and run events are taken in.</summary>
/// <param name="Writers">How many transactions may be under way at once, of each of the two.</param>
/// <param name="Queue">How many requests may wait, of each of the two.</param>
public sealed record IngestSettings(int Writers, int Queue)
{
    /// <summary>Reads <c>DATAXPIPE_INGEST_WRITERS</c> and <c>DATAXPIPE_INGEST_QUEUE</c>.</summary>
    /// <exception cref="SettingException">A value that cannot be used.</exception>
    public static IngestSettings Read(IConfiguration configuration) => new(
        // On a fast disk one is best, in rate and in latency; more overlap their flushes on a slow one.
        Setting.Number(configuration, "DATAXPIPE_INGEST_WRITERS", 1, 8) ?? 1,
        Setting.Number(configuration, "DATAXPIPE_INGEST_QUEUE", 1, 1_000_000) ?? 4096);
}
