using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Ingest;

/// <summary>Limits of the ingest queues.</summary>
/// <param name="Writers">The maximum number of concurrent write transactions, 1 to 8, for each queue.</param>
/// <param name="Queue">The maximum number of waiting requests, for each queue.</param>
public sealed record IngestSettings(int Writers, int Queue)
{
    /// <summary>Reads <c>DATAXPIPE_INGEST_WRITERS</c> and <c>DATAXPIPE_INGEST_QUEUE</c>.</summary>
    /// <exception cref="SettingException">A value is not valid.</exception>
    public static IngestSettings Read(IConfiguration configuration) => new(
        // On a fast disk one writer has the best rate and latency. On a slow disk several writers overlap their
        // flushes.
        Setting.Number(configuration, "DATAXPIPE_INGEST_WRITERS", 1, 8) ?? 1,
        Setting.Number(configuration, "DATAXPIPE_INGEST_QUEUE", 1, 1_000_000) ?? 4096);
}
