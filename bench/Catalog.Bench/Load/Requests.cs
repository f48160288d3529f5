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
