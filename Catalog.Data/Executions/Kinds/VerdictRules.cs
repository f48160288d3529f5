using System.Globalization;
using System.Text.Json;
using Catalog.Data.Checks;

namespace Catalog.Data.Executions.Kinds;

/// <summary>Turns what a check measured into its verdict.</summary>
internal static class VerdictRules
{
    /// <summary>Compares a measure with the rule and the thresholds of a definition.</summary>
    public static CheckVerdict Judge(CheckDefinition definition, Measure measure, TimeSpan duration, CheckSample? sample = null)
    {
        if (measure.Problem is { } problem)
        {
            return Error(definition.Check, problem, definition.Table, duration);
        }

        if ((definition.Fail ?? definition.Warn) is not null && measure is { Number: null, Judged: null, NotCompared: null })
        {
            return Error(definition.Check,
                "the measured value is not a number, and thresholds compare numbers. Use params.min or params.max.", definition.Table,
                duration);
        }

        var status = StatusOf(definition, measure);
        var facts = new Dictionary<string, string>(measure.Facts ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        if (sample?.Rows is { } rows)
        {
            facts["samples"] = rows;
        }

        if (sample?.LeftOut is { } reason)
        {
            facts["samples_left_out"] = JsonSerializer.Serialize(reason);
        }

        return new()
        {
            Check = definition.Check,
            Status = status,
            ObservedValue = measure.Observed ?? (measure.Number is { } number ? MeasuredValues.Json(number) : null),
            ObservedNumber = measure.Number is { } finite && double.IsFinite(finite) ? finite : null,
            Expected = Expected(definition),
            FailedRows = measure.Failed,
            TotalRows = measure.Total,
            Message = Message(definition, measure, status)
                + (sample?.LeftOut is { } why ? $" No sample is kept: {why}" : ""),
            Duration = duration,
            Metadata = facts.Count == 0 ? null : Json(facts),
            Table = definition.Table.Length == 0 ? null : definition.Table,
        };
    }

    /// <summary>Removes the measured value from a verdict, because values of its column must not be kept.</summary>
    /// <param name="verdict">The verdict.</param>
    /// <param name="reason">A sentence that says why the value is hidden.</param>
    public static CheckVerdict HideValue(CheckVerdict verdict, string reason) => verdict.Status == CheckStatus.Error ? verdict
        : verdict with
        {
            ObservedValue = "\"(hidden)\"",
            ObservedNumber = null,
            Message = $"The value is hidden: {reason}",
            Metadata = null,
        };

    /// <summary>The verdict of a check that could not be evaluated.</summary>
    public static CheckVerdict Error(Check check, string reason, string? table = null, TimeSpan duration = default) => new()
    {
        Check = check,
        Status = CheckStatus.Error,
        Message = $"The check could not be evaluated: {reason}",
        Duration = duration,
        Table = table is { Length: > 0 } ? table : null,
    };

    /// <summary>The verdict on a check with groups: it is the verdict on the worst group.</summary>
    /// <param name="definition">The definition.</param>
    /// <param name="groups">For each group its values as a JSON array, and its measure.</param>
    /// <param name="duration">The time that the statement took.</param>
    /// <param name="hidden">
    /// A sentence that says why the names of all groups are hidden; null when they are not.
    /// </param>
    public static CheckVerdict JudgeGroups(CheckDefinition definition, IReadOnlyList<(string Group, Measure Measure)> groups,
        TimeSpan duration, string? hidden)
    {
        if (groups.Count == 0)
        {
            return Judge(definition, new() { Number = 0, Failed = 0, Total = 0, NotCompared = "there are no groups" }, duration);
        }

        var verdicts = groups.Select(group => (group.Group, group.Measure, Verdict: Judge(definition, group.Measure, duration))).ToList();
        var worst = verdicts.MaxBy(group => Rank(group.Verdict.Status));
        var counts = verdicts.GroupBy(group => group.Verdict.Status, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        var failing = verdicts.Count(group => group.Verdict.Status is not CheckStatus.Pass);
        return worst.Verdict with
        {
            FailedRows = groups.All(group => group.Measure.Failed is not null) ? groups.Sum(group => group.Measure.Failed) : null,
            TotalRows = groups.All(group => group.Measure.Total is not null) ? groups.Sum(group => group.Measure.Total) : null,
            Message = string.Create(
                CultureInfo.InvariantCulture,
                $"{failing} of {verdicts.Count} groups do not pass. The worst group: {worst.Verdict.Message}")
                + (hidden is null ? "" : $" The names of the groups are hidden: {hidden}"),
            Metadata = Json(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["groups"] = $"[{string.Join(',', verdicts.OrderByDescending(group => Rank(group.Verdict.Status)).Take(100).Select(group =>
                    $"{{\"group\":{group.Group},\"status\":\"{group.Verdict.Status}\","
                        + $"\"observed_value\":{group.Verdict.ObservedValue ?? "null"}}}"))}]",
                ["group_counts"] = JsonSerializer.Serialize(counts),
            }),
        };
    }

    private static string StatusOf(CheckDefinition definition, Measure measure)
    {
        if (measure.NotCompared is not null)
        {
            return CheckStatus.Pass;
        }

        var ruled = definition.Fail is null && definition.Warn is null;
        if ((measure.Violated && (ruled || definition.Kind.HasBounds)) || IsMet(definition, definition.Fail, measure))
        {
            return CheckStatus.Fail;
        }

        return IsMet(definition, definition.Warn, measure) ? CheckStatus.Warn : CheckStatus.Pass;
    }

    private static bool IsMet(CheckDefinition definition, Threshold? threshold, Measure measure) =>
        threshold is not null && (measure.Judged ?? measure.Number) is { } number
        && threshold.IsMet(number, measure.Exact, definition.Kind.IsPercent ? null : measure.Total);

    private static string? Expected(CheckDefinition definition)
    {
        var members = new[]
        {
            definition.Kind.Expected is { } rule ? $"\"rule\":{rule}" : null,
            definition.Warn is { } warn ? $"\"warn\":{warn.Json}" : null,
            definition.Fail is { } fail ? $"\"fail\":{fail.Json}" : null,
        }.OfType<string>().ToList();
        return members.Count == 0 ? null : $"{{{string.Join(',', members)}}}";
    }

    private static string Message(CheckDefinition definition, Measure measure, string status)
    {
        var what = measure.Failed is { } failed
            ? measure.Total is { } total
                ? string.Create(CultureInfo.InvariantCulture, $"{failed} of {total} rows violate the check")
                : string.Create(CultureInfo.InvariantCulture, $"{failed} rows violate the check")
            : measure.Observed == "null" ? "there is no row with a value"
            : measure.Judged is { } judged && measure.Number is { } number
                ? $"the value is {Text(number, null, definition.Kind.Unit)}, "
                    + $"the number compared with the threshold is {Text(judged, measure.Exact, definition.Kind.JudgedUnit)}"
            : measure.Number is { } value && double.IsFinite(value)
                ? $"the value is {Text(value, measure.Exact, definition.Kind.Unit)}"
            : "the value was compared";
        var why = measure.NotCompared is { } reason ? $"; {reason}"
            : status == CheckStatus.Fail && definition.Fail is { } fail ? $"; it fails at {fail.Json}"
            : status == CheckStatus.Warn && definition.Warn is { } warn ? $"; it warns at {warn.Json}"
            : "";
        return $"{char.ToUpperInvariant(what[0])}{what[1..]}{why}.";
    }

    private static string Text(double number, decimal? exact, string? unit) => (exact is { } precise
        ? precise.ToString("0.######", CultureInfo.InvariantCulture) : number.ToString("0.######", CultureInfo.InvariantCulture))
        + (unit is null ? "" : $" {unit}");

    private static string Json(Dictionary<string, string> facts) =>
        $"{{{string.Join(',', facts.Select(fact => $"{JsonSerializer.Serialize(fact.Key)}:{fact.Value}"))}}}";

    private static int Rank(string status) => status switch
    {
        CheckStatus.Fail => 3,
        CheckStatus.Error => 2,
        CheckStatus.Warn => 1,
        _ => 0,
    };
}
