using System.Globalization;
using Catalog.Data;

namespace Catalog.Bench.Load;

/// <summary>The requests of the workloads.</summary>
internal static class Requests
{
    public const string Results = "/api/v1/checks/results/";

    private static readonly DateTimeOffset Epoch = DateTimeOffset.Parse("2026-01-01T00:00:00Z", CultureInfo.InvariantCulture);

    public static Request[] Posts { get; } = [
        .. Enumerable.Range(1, 1000).Select(number => new Request("POST", Results, ResultBody.Text(number * 7919)))];

    /// <summary>A START and a COMPLETE of a run of each job; each pass reports other runs.</summary>
    public static Request[] LineageEvents { get; } =
    [
        .. Enumerable.Range(0, LineageEventBody.Jobs).SelectMany(job => new[] { "START", "COMPLETE" }
            .Select(type => new Request("POST", "/api/v1/lineage", LineageEventBody.Text(job, type)))),
    ];

    /// <summary>A running and a completed event of a run of each pipeline; each pass reports other runs.</summary>
    public static Request[] RunEvents { get; } =
    [
        .. Enumerable.Range(0, ResultBody.Pipelines).SelectMany(number => new[]
        {
            $$"""{"id":"run-{{number}}-{{Request.Sequence}}","pipeline_id":"{{ResultBody.Pipeline(number)}}","status":"running","started_at":"2026-01-01T00:00:00Z","trigger":"schedule"}""",
            $$"""{"id":"run-{{number}}-{{Request.Sequence}}","pipeline_id":"{{ResultBody.Pipeline(number)}}","status":"completed","completed_at":"2026-01-01T00:05:00Z","records_processed":{{number * 1000}}}""",
        }.Select(body => new Request("POST", "/api/v1/runs/", body))),
    ];

    public static Request[] RecentPage { get; } = [new("GET", Results + "?limit=50")];

    /// <summary>Pages at 500 positions in the rows of <see cref="ResultSql.Preload"/>.</summary>
    public static Request[] Pages(int rows) =>
        [.. Spread(rows)
            .Select(number =>
                new Request(
                    "GET", $"{Results}?limit=50&cursor={Uri.EscapeDataString(new Cursor(Epoch.AddSeconds(number), ResultSql.Id(number)).ToText("check_results"))}"))];

    public static Request[] Singles(int rows) => [.. Spread(rows).Select(number => new Request("GET", Results + ResultSql.Id(number)))];

    // 500 row numbers spread over the table, the same in every run.
    private static IEnumerable<int> Spread(int rows) =>
        Enumerable.Range(1, 500).Select(number => 100 + (int)(number * 7919L * 7919 % (rows - 100)));
}
