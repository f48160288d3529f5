using System.Text.Json;
using Catalog.Data.Checks;

namespace Catalog.Data.Executions.Kinds;

/// <summary>A definition that can be executed, with its kind, its table and its thresholds.</summary>
public sealed class CheckDefinition
{
    private static readonly Dictionary<string, Func<CheckParameters, TimeProvider, CheckKind>> Kinds = new(StringComparer.Ordinal)
    {
        ["row_count"] = (parameters, _) => AggregateKinds.RowCount(parameters),
        ["not_null"] = (parameters, _) => RowKinds.NotNull(parameters),
        ["null"] = (parameters, _) => RowKinds.Null(parameters),
        ["missing"] = (parameters, _) => RowKinds.Missing(parameters),
        ["unique"] = (parameters, _) => KeyKinds.Unique(parameters),
        ["accepted_values"] = (parameters, _) => RowKinds.AcceptedValues(parameters),
        ["forbidden_values"] = (parameters, _) => RowKinds.ForbiddenValues(parameters),
        ["range"] = (parameters, _) => RowKinds.Range(parameters),
        ["length"] = (parameters, _) => RowKinds.Length(parameters),
        ["pattern"] = (parameters, _) => RowKinds.Pattern(parameters),
        ["relationships"] = (parameters, _) => KeyKinds.Relationships(parameters),
        ["min"] = (parameters, _) => AggregateKinds.Min(parameters),
        ["max"] = (parameters, _) => AggregateKinds.Max(parameters),
        ["avg"] = (parameters, _) => AggregateKinds.Average(parameters),
        ["sum"] = (parameters, _) => AggregateKinds.Sum(parameters),
        ["stddev"] = (parameters, _) => AggregateKinds.StandardDeviation(parameters),
        ["median"] = (parameters, _) => AggregateKinds.Median(parameters),
        ["quantile"] = (parameters, _) => AggregateKinds.Quantile(parameters),
        ["distinct_count"] = (parameters, _) => AggregateKinds.DistinctCount(parameters),
        ["distinct_share"] = (parameters, _) => AggregateKinds.DistinctShare(parameters),
        ["most_common_value"] = (parameters, _) => KeyKinds.MostCommonValue(parameters),
        ["compare_columns"] = (parameters, _) => RowKinds.CompareColumns(parameters),
        ["expression"] = (parameters, _) => RowKinds.Expression(parameters),
        ["schema"] = (parameters, _) => TableKinds.Schema(parameters),
        ["freshness"] = TableKinds.Freshness,
        ["volume_change"] = (parameters, _) => HistoryKinds.VolumeChange(parameters),
        ["anomaly"] = (parameters, _) => HistoryKinds.Anomaly(parameters),
        ["cross_table_row_count"] = (parameters, _) => TableKinds.CrossTableRowCount(parameters),
        ["sql_rows"] = (parameters, _) => SqlKinds.Rows(parameters),
        ["sql_value"] = (parameters, _) => SqlKinds.Value(parameters),
    };

    private static readonly string[] WithoutTable = ["sql_rows", "sql_value", ""];

    private CheckDefinition(Check check, CheckKind kind, CheckParameters parameters) =>
        (Check, Kind, Parameters) = (check, kind, parameters);

    /// <summary>The names of the kinds that can be executed.</summary>
    public static IReadOnlyCollection<string> KindNames => Kinds.Keys;

    /// <summary>The check.</summary>
    public Check Check { get; }

    /// <summary>The checked table; empty when a check with a statement of the user names no table.</summary>
    public string Table { get; private init; } = "";

    /// <summary>The condition on the rows that are judged; null for all rows.</summary>
    internal string? Where { get; private init; }

    internal IReadOnlyList<string> GroupBy { get; private init; } = [];

    internal int MaxGroups { get; private init; }

    /// <summary>The number of violating rows to keep as a sample, 0 to 100.</summary>
    internal int Samples { get; private init; }

    internal IReadOnlyList<string> SampleDeny { get; private init; } = [];

    internal Threshold? Warn { get; private init; }

    internal Threshold? Fail { get; private init; }

    internal CheckKind Kind { get; }

    internal CheckParameters Parameters { get; }

    /// <summary>The user's statement; null for other kinds.</summary>
    internal string? Sql { get; private init; }

    /// <summary>The errors of a definition by JSON pointer; empty when the definition can be executed.</summary>
    /// <param name="kind">The kind; null when the definition has only a statement.</param>
    /// <param name="dataset">The dataset of the check.</param>
    /// <param name="definition">The definition as sent: a JSON object.</param>
    public static IReadOnlyDictionary<string, string> Validate(string? kind, string? dataset, JsonElement definition)
    {
        Read(new()
        {
            Id = "",
            PipelineId = "",
            Kind = kind,
            Dataset = dataset,
            Severity = CheckSeverity.Error,
            Definition = "",
            CreatedAt = default,
            UpdatedAt = default
        }, definition, TimeProvider.System, out var errors);
        return errors;
    }

    /// <summary>Reads the definition of a check.</summary>
    /// <returns>
    /// Null when the definition cannot be executed. Then <paramref name="errors"/> contains the errors by JSON pointer.
    /// </returns>
    public static CheckDefinition? Read(Check check, TimeProvider time, out IReadOnlyDictionary<string, string> errors)
    {
        using var json = JsonDocument.Parse(check.Definition);
        return Read(check, json.RootElement.Clone(), time, out errors);
    }

    private static CheckDefinition? Read(Check check, JsonElement definition, TimeProvider time,
        out IReadOnlyDictionary<string, string> errors)
    {
        var parameters = new CheckParameters(definition);
        errors = parameters.Errors;
        var name = check.Kind ?? "";
        CheckKind kind;
        if (Kinds.TryGetValue(name, out var create))
        {
            kind = create(parameters, time);
        }
        else if (name.Length == 0 && parameters.Sql is not null)
        {
            kind = IsGiven(definition, "fail") || IsGiven(definition, "warn")
                ? SqlKinds.Value(parameters) : SqlKinds.Bare(parameters);
        }
        else
        {
            parameters.Add("/kind", $"is not a kind that can be executed; the kinds are {string.Join(", ", Kinds.Keys)}.");
            return null;
        }

        var table = parameters.Text("table") ?? check.Dataset ?? "";
        if (table.Length == 0 && !WithoutTable.Contains(name, StringComparer.Ordinal))
        {
            parameters.Add("/dataset", "is missing. Set dataset or params.table to the table to check.");
        }

        var warn = Threshold.Read(Member(definition, "warn"), kind.HasAges, out var warnError);
        var fail = Threshold.Read(Member(definition, "fail"), kind.HasAges, out var failError);
        if (warnError is not null)
        {
            parameters.Add("/warn", warnError);
        }

        if (failError is not null)
        {
            parameters.Add("/fail", failError);
        }

        if (kind.NeedsThreshold && warn is null && fail is null)
        {
            var rules = name switch
            {
                "volume_change" => "fail and warn",
                "freshness" => "fail, warn and params.max_age",
                _ => "fail, warn, params.min and params.max",
            };
            parameters.Add("/fail", $"is missing. This kind has no default rule: set at least one of {rules}.");
        }

        var result = new CheckDefinition(check, kind, parameters)
        {
            Table = table,
            Where = parameters.Condition("where"),
            GroupBy = parameters.Texts("group_by", 5),
            MaxGroups = parameters.Whole("max_groups", 1, 1000, 100),
            Samples = parameters.Whole("samples", 0, 100, 0),
            SampleDeny = parameters.Texts("sample_deny", 100),
            Warn = warn,
            Fail = fail,
            Sql = parameters.Sql,
        };
        if (result.GroupBy.Count > 0 && (kind.Scan is null || kind.History is not null || kind.Other is not null))
        {
            parameters.Wrong("group_by", "is possible only for kinds that compute an aggregate of one table.");
        }

        if (!kind.HasWhere && result.Where is not null)
        {
            parameters.Wrong("where", "is not possible for this kind: it does not select rows of a table.");
        }

        if (result.Samples > 0 && (kind.Violation is null || result.GroupBy.Count > 0))
        {
            parameters.Wrong("samples", "is supported only for kinds that check each row, and not together with group_by.");
        }

        foreach (var (field, threshold) in new[] { ("/warn", warn), ("/fail", fail) })
        {
            if (threshold is { IsPercent: true } && !kind.CountsRows && !kind.IsPercent)
            {
                parameters.Add(field, "must not have the unit percent, because this kind does not count rows. Use the unit count.");
            }
        }

        if (parameters.Sql is not null && name.Length > 0 && name is not ("sql_rows" or "sql_value"))
        {
            parameters.Add("/sql", $"must be left out: the kind {name} has its own statement.");
        }

        parameters.RefuseUnknown(name.Length == 0 ? "a statement" : name);
        return parameters.Errors.Count == 0 ? result : null;
    }

    private static bool IsGiven(JsonElement definition, string name) =>
        Member(definition, name).ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    private static JsonElement Member(JsonElement definition, string name) =>
        definition.TryGetProperty(name, out var value) ? value : default;
}
