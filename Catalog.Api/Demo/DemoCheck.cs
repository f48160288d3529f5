using System.Text.Json.Nodes;
using Catalog.Data.Checks;

namespace Catalog.Api.Demo;

/// <summary>How the results of a check develop.</summary>
internal enum DemoTrend
{
    /// <summary>The check passes, except for rare bad values.</summary>
    Steady,

    /// <summary>The check passes and fails in turn during the last three days.</summary>
    Flapping,

    /// <summary>The check fails during the last four days.</summary>
    Failing,

    /// <summary>The check warns during the last two days.</summary>
    Warning,
}

/// <summary>A check of the demo.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">One of the kinds that the Catalog runs.</param>
/// <param name="Dataset">The checked dataset.</param>
/// <param name="Usual">The usual value.</param>
/// <param name="Spread">The greatest difference from the usual value, as a share of the usual value.</param>
internal sealed record DemoCheck(string Id, string Kind, string Dataset, double Usual, double Spread)
{
    public string? Column { get; init; }

    public string Severity { get; init; } = CheckSeverity.Error;

    /// <summary>The check warns below or above this value.</summary>
    public (double? Below, double? Above) Warn { get; init; }

    /// <summary>The check fails below or above this value.</summary>
    public (double? Below, double? Above) Fail { get; init; }

    /// <summary>The table in the warehouse of the demo; null when the Catalog does not run the check.</summary>
    public string? Table { get; init; }

    /// <summary>Further parameters of a check that the Catalog runs.</summary>
    public JsonObject? Parameters { get; init; }

    /// <summary>
    /// The cron expression of the times at which the Catalog runs the check; null when it has no schedule.
    /// </summary>
    public string? Schedule { get; init; }

    /// <summary>Whether the value follows the number of orders, which is higher at the weekend.</summary>
    public bool IsWeekly { get; init; }

    public DemoTrend Trend { get; init; }

    /// <summary>The status of a value.</summary>
    public string StatusOf(double value) =>
        Breaks(Fail, value) ? CheckStatus.Fail : Breaks(Warn, value) ? CheckStatus.Warn : CheckStatus.Pass;

    /// <summary>A value that breaks a threshold.</summary>
    public static double Broken((double? Below, double? Above) limit, double share) =>
        limit.Above is { } above ? Math.Ceiling(Math.Max(above, 1) * (1.1 + share))
        : limit.Below >= 10 ? Math.Floor(limit.Below.Value * (0.9 - (share / 2))) : Math.Round(limit.Below!.Value * (0.9 - (share / 2)), 3);

    /// <summary>The check in the body of its pipeline.</summary>
    /// <param name="isCurrent">
    /// Whether the version of the pipeline is the current one. Only checks of the current version have schedules.
    /// </param>
    public JsonObject Body(bool isCurrent)
    {
        var body = new JsonObject { ["id"] = Id, ["kind"] = Kind, ["dataset"] = Dataset, ["severity"] = Severity };
        foreach (var (name, limit) in new[] { ("warn", Warn), ("fail", Fail) })
        {
            if (limit != default)
            {
                body[name] = limit.Below is { } below ? new JsonObject { ["below"] = below } : new JsonObject { ["above"] = limit.Above };
            }
        }

        if (Column is not null)
        {
            body["column"] = Column;
        }

        if (Table is not null)
        {
            body["connection_id"] = DemoWarehouse.Connection;
            var parameters = Parameters?.DeepClone().AsObject() ?? [];
            parameters["table"] = Table;
            body["params"] = parameters;
        }

        if (isCurrent && Schedule is not null)
        {
            body["schedule"] = Schedule;
        }

        return body;
    }

    private static bool Breaks((double? Below, double? Above) limit, double value) => value < limit.Below || value > limit.Above;
}
