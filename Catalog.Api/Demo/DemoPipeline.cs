using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Data.Schedules;

namespace Catalog.Api.Demo;

/// <summary>A pipeline of the demo, as its team would describe it.</summary>
/// <param name="Name">Its id.</param>
/// <param name="Schedule">A cron expression; null for the pipeline that runs all the time.</param>
/// <param name="Owner">The team.</param>
/// <param name="Minutes">The usual duration of a run.</param>
/// <param name="Rows">The usual number of rows of a run.</param>
/// <param name="Flows">
/// The flows between datasets, one on each line: <c>upstream, upstream > downstream, downstream</c>.
/// </param>
internal sealed record DemoPipeline(string Name, string? Schedule, string Owner, double Minutes, long Rows, string Flows)
{
    public required string Description { get; init; }

    public required string[] Tags { get; init; }

    public string Environment { get; init; } = "production";

    public string[] Stages { get; init; } = ["extract", "load", "verify"];

    public IReadOnlyList<DemoCheck> Checks { get; init; } = [];

    /// <summary>How many days ago each version was registered, oldest version first.</summary>
    public double[] Versions { get; init; } = [31];

    /// <summary>How many days ago the pipeline stopped, so that it is overdue; null when it still runs.</summary>
    public double? StoppedDaysAgo { get; init; }

    /// <summary>For how many days every run of the pipeline has failed; null when only few runs fail.</summary>
    public double? FailsSinceDays { get; init; }

    /// <summary>The scheduled times in a range. The end of the range is exclusive.</summary>
    public IEnumerable<DateTimeOffset> Ticks(DateTimeOffset from, DateTimeOffset until)
    {
        if (Schedule is null)
        {
            // The pipeline starts every two minutes, so that a visitor sees a run in progress.
            var step = TimeSpan.FromMinutes(2).Ticks;
            var first = new DateTimeOffset((from.UtcTicks + step - 1) / step * step, TimeSpan.Zero);
            for (var tick = first; tick < until; tick = tick.AddTicks(step))
            {
                yield return tick;
            }

            yield break;
        }

        var cron = Cron.Parse(Schedule)!;
        for (var tick = cron.Next(from.AddTicks(-1), TimeZoneInfo.Utc); tick < until; tick = cron.Next(tick.Value, TimeZoneInfo.Utc))
        {
            yield return tick.Value;
        }
    }

    /// <summary>
    /// The body that registers one version of the pipeline. An earlier version lacks the last of several flows. The
    /// first of several versions also lacks the last check.
    /// </summary>
    /// <param name="number">The version, from 1.</param>
    public JsonObject Body(int number)
    {
        var isCurrent = number == Versions.Length;
        var flows = Edges(isCurrent ? int.MaxValue : Math.Max(1, Flows.Split('\n').Length - 1));
        var sources = flows.Select(flow => flow.From).Distinct().ToList();
        var targets = flows.Select(flow => flow.To).Distinct().ToList();
        return new()
        {
            ["name"] = Name,
            ["version"] = $"{number}.0",
            ["description"] = Description,
            ["owner"] = Owner,
            ["environment"] = Environment,
            ["schedule"] = Schedule,
            ["tags"] = Json(Tags),
            ["sources"] = Json(sources.Select(source => Endpoint(source))),
            ["transforms"] = Json(new[] { new { id = Stages[^2], inputs = sources, code_ref = $"jobs/{Name}/{Stages[^2]}.sql" } }),
            ["targets"] = Json(targets.Select(target => Endpoint(target))),
            ["checks"] = Json(Checks.SkipLast(isCurrent || number > 1 ? 0 : 1).Select(check => check.Body(isCurrent))),
            ["lineage"] = Json(new { edges = flows.Select(flow => new { from = flow.From, to = flow.To }) }),
        };
    }

    private List<(string From, string To)> Edges(int lines) =>
    [
        .. Flows.Split('\n').Take(lines).Select(line => line.Split('>'))
            .SelectMany(flow => Names(flow[0]).SelectMany(from => Names(flow[1]).Select(to => (from, to)))),
    ];

    private static string[] Names(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static object Endpoint(string dataset) => new
    {
        id = dataset,
        type = dataset.Split('.')[0] switch
        {
            "shop" => "postgres",
            "payments" => "stripe",
            "crm" => "hubspot",
            "ads" => "google_ads",
            "web" => "kafka",
            "erp" => "sqlserver",
            "exports" or "fx" => "http",
            _ => "sqlite",
        },
        connection_ref = dataset.Split('.')[0] switch
        {
            "raw" or "staging" or "core" or "mart" or "features" or "reports" => DemoWarehouse.Connection,
            var schema => schema,
        },
        @object = dataset,
    };

    private static JsonNode? Json<T>(T value) => JsonSerializer.SerializeToNode(value);
}
