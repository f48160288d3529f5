using Catalog.Api.Http;
using Catalog.Data.Runs;

namespace Catalog.Api.Runs;

/// <summary>The query parameter that selects one or several statuses of runs.</summary>
internal static class RunStatusFilter
{
    /// <summary>The stored words of a list of statuses that is separated by commas.</summary>
    public static string[] Read(string statuses) =>
        [.. Words(statuses).Select(word => RunStatus.Words[word]).Distinct(StringComparer.Ordinal)];

    /// <summary>The rule of the parameter.</summary>
    public static FormatRule<T> Rule<T>() => new(
        "run-statuses", statuses => Words(statuses).All(RunStatus.Words.ContainsKey),
        "must be one of pending, running, completed, failed, cancelled and skipped, or several of these separated by commas.");

    private static string[] Words(string statuses) => statuses.Split(',', StringSplitOptions.TrimEntries);
}
