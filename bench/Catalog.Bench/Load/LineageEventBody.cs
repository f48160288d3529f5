using System.Text.Json;

namespace Catalog.Bench.Load;

/// <summary>
/// The OpenLineage events that workloads post: a job with five inputs and one output, whose facets make the body 17 KB
/// long, as Spark sends them.
/// </summary>
internal static class LineageEventBody
{
    public const int Jobs = 20;
    private const int Inputs = 5;
    private const int Columns = 18;
    private const string Producer = "https://example.com/bench";

    /// <summary>
    /// One event. Its run has the number of the job and <see cref="Request.Sequence"/>, so that each pass over the
    /// requests reports other runs.
    /// </summary>
    /// <param name="job">From 0 to <see cref="Jobs"/> - 1.</param>
    /// <param name="type">START or COMPLETE.</param>
    public static string Text(int job, string type)
    {
        var output = $"sales.report_{job}";
        return JsonSerializer.Serialize(new
        {
            eventType = type,
            eventTime = type == "START" ? "2026-01-01T00:00:00Z" : "2026-01-01T00:05:00Z",
            producer = Producer,
            schemaURL = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            run = new
            {
                runId = $"00000000-0000-7000-8{job:000}-{Request.Sequence}",
                facets = new { nominalTime = new { _producer = Producer, nominalStartTime = "2026-01-01T00:00:00Z" } },
            },
            job = new { @namespace = "bench", name = $"report_{job}" },
            inputs = Enumerable.Range(0, Inputs).Select(input => Dataset($"sales.orders_{job + input}", new { schema = Schema() })),
            outputs = new[] { Dataset(output, new { schema = Schema(), columnLineage = ColumnLineage(job) }) },
        });
    }

    private static object Dataset(string name, object facets) => new { @namespace = "postgres://warehouse:5432", name, facets };

    private static object Schema() => new
    {
        _producer = Producer,
        _schemaURL = "https://openlineage.io/spec/facets/1-1-1/SchemaDatasetFacet.json",
        fields = Enumerable.Range(0, Columns).Select(column => new
        {
            name = $"column_{column}",
            type = "decimal(38,9)",
            description = "the amount of the order in the currency of the shop",
        }),
    };

    private static object ColumnLineage(int job) => new
    {
        _producer = Producer,
        _schemaURL = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json",
        fields = Enumerable.Range(0, Columns).ToDictionary(column => $"column_{column}", column => new
        {
            inputFields = new[]
            {
                new
                {
                    @namespace = "postgres://warehouse:5432",
                    name = $"sales.orders_{job + column % Inputs}",
                    field = $"column_{column}",
                    transformations = new[] { new { type = "DIRECT", subtype = "IDENTITY", description = "", masking = false } },
                },
            },
        }),
    };
}
