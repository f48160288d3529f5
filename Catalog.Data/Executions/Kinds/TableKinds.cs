using System.Globalization;
using System.Text.Json;

namespace Catalog.Data.Executions.Kinds;

/// <summary>The kinds that compare a table with another table, with the clock, or with an expected schema.</summary>
internal static class TableKinds
{
    // The clock of the warehouse can be ahead of the clock of this service.
    private static readonly TimeSpan MaxAhead = TimeSpan.FromMinutes(5);

    private static string InFuture(string column) =>
        $"the newest value of the column {column} is more than {MaxAhead.TotalMinutes:0} minutes in the future, so its age is not known. "
        + "Correct the value, set params.time_zone to the zone in which it is written, or leave such rows out with params.where.";

    /// <summary>
    /// Compares the columns of the table with the expected columns. The number counts the differences.
    /// </summary>
    public static CheckKind Schema(CheckParameters parameters)
    {
        var expected = Expected(parameters);
        var (exact, ordered) = (parameters.Word("mode", "exact", "contains") == "exact", parameters.Flag("ordered"));
        var bounds = Bounds.Read(parameters);
        if (expected.Count == 0 && bounds is null)
        {
            parameters.Wrong("columns", "is required: a list of names, or an object of names and types; or min and max of the number "
                + "of columns.");
        }

        return new()
        {
            HasWhere = false,
            HasBounds = bounds is not null,
            Statement = context => new(context.Sql.Columns(context.Name), rows =>
            {
                if (rows.Truncated)
                {
                    return new() { Problem = "the table has too many columns to check." };
                }

                if (rows.Rows.Count == 0)
                {
                    return new()
                    {
                        Problem = "the table does not exist, or the user of the connection has no permission to read it. Correct the "
                            + "name, or grant the permission.",
                    };
                }

                List<(string Name, string Type)> found =
                [
                    .. rows.Rows.Select(row => ((string)row[0]!, Convert.ToString(row[1], CultureInfo.InvariantCulture) ?? "")),
                ];
                var differences = Differences(expected, found, exact, ordered);
                return new()
                {
                    Number = differences.Count,
                    Observed = JsonSerializer.Serialize(found.ConvertAll(column => column.Name)),
                    Violated = differences.Count > 0 || bounds?.IsOutside((long)found.Count) == true,
                    Facts = new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        ["differences"] = JsonSerializer.Serialize(differences)
                    },
                };
            }),
            Expected = parameters.Any("columns") is { } columns ? $"{{\"columns\":{columns.GetRawText()}}}" : bounds?.ToJson(),
        };
    }

    /// <summary>
    /// The age of the newest value of a column, in seconds. A table without values fails. A value more than
    /// <see cref="MaxAhead"/> in the future has no age, so the check ends with an error.
    /// </summary>
    public static CheckKind Freshness(CheckParameters parameters, TimeProvider time)
    {
        var column = parameters.Column();
        var zone = TimeZoneInfo.Utc;
        if (parameters.Text("time_zone") is { } name && !TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone))
        {
            parameters.Wrong("time_zone", "must be the IANA name of a time zone, such as Europe/Berlin.");
            zone = TimeZoneInfo.Utc;
        }

        TimeSpan? maxAge = null;
        if (parameters.Text("max_age") is { } text && (maxAge = DurationText.Parse(text)) is null)
        {
            parameters.Wrong("max_age", "must be a duration such as 90s, 15m, 2h or 1d.");
        }

        return new()
        {
            Scan = scan => new([$"max({scan.Value(scan.Sql.Quote(column))})"], values =>
            {
                if (values.Span[0] is null)
                {
                    return new() { Number = double.NaN, Observed = "null", Violated = true };
                }

                if (MeasuredValues.Time(values.Span[0], zone!) is not { } newest)
                {
                    return new() { Problem = $"the newest value of the column {column} is not a time." };
                }

                // A session reads a time without a zone as UTC. If the definition names a zone, the time is local time
                // of that zone.
                newest = values.Span[0] is not string && parameters.Has("time_zone")
                    ? MeasuredValues.In(zone!, newest.UtcDateTime) : newest;

                var age = (time.GetUtcNow() - newest).TotalSeconds;
                if (age < -MaxAhead.TotalSeconds)
                {
                    return new() { Problem = InFuture(column) };
                }

                age = Math.Max(0, age);
                return new()
                {
                    Number = Math.Round(age, 3),
                    Violated = maxAge is { } most && age > most.TotalSeconds,
                    Facts = new Dictionary<string, string>(StringComparer.Ordinal) { ["newest"] = MeasuredValues.Json(newest) },
                };
            }),
            HasBounds = maxAge is not null,
            Expected = maxAge is null ? null : $"{{\"max_age\":{JsonSerializer.Serialize(parameters.Text("max_age"))}}}",
            NeedsThreshold = maxAge is null,
            HasAges = true,
            Unit = "seconds",
            ShowsValue = true,
        };
    }

    /// <summary>Compares the number of rows with that of another table. The judged number is the difference.</summary>
    public static CheckKind CrossTableRowCount(CheckParameters parameters)
    {
        var factor = parameters.Number("factor") ?? 1;
        parameters.RefuseBounds();
        return AggregateKinds.RowCount(parameters) with
        {
            CountsRows = true,
            JudgedUnit = "rows",
            Other = new(parameters.Text("other_connection_id"), parameters.Required("other_table"),
                parameters.Condition("other_where")),
            Expected = JsonSerializer.Serialize(new { rows_of = parameters.Text("other_table"), factor }),
        };
    }

    /// <summary>
    /// Compares the number of rows of a check with the number of rows of the other table times a factor.
    /// </summary>
    public static Measure Compare(Measure own, long other, double factor)
    {
        // With a factor below 1e9, the product of any number of rows is within the range of decimal.
        decimal? exact = Math.Abs(factor) < 1e9 && own.Exact is { } rows ? Math.Abs(rows - (other * (decimal)factor)) : null;
        var difference = (double?)exact ?? Math.Abs((own.Number ?? 0) - (other * factor));
        return own with
        {
            Judged = difference,
            Exact = exact,
            Total = other,
            Violated = difference > 1e-9,
            Facts = new Dictionary<string, string>(StringComparer.Ordinal) { ["other_rows"] = MeasuredValues.Json(other) },
        };
    }

    private static List<(string Name, string? Type)> Expected(CheckParameters parameters)
    {
        if (parameters.Any("columns") is not { } columns)
        {
            return [];
        }

        if (columns.ValueKind == JsonValueKind.Array && columns.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String))
        {
            return [.. columns.EnumerateArray().Select(name => (name.GetString()!, (string?)null))];
        }

        if (columns.ValueKind == JsonValueKind.Object
            && columns.EnumerateObject().All(member => member.Value.ValueKind is JsonValueKind.String or JsonValueKind.Null))
        {
            return [.. columns.EnumerateObject().Select(member => (member.Name, member.Value.GetString()))];
        }

        parameters.Wrong("columns", "must be a list of names, or an object of names and types.");
        return [];
    }

    private static List<string> Differences(List<(string Name, string? Type)> expected, List<(string Name, string Type)> found, bool exact,
        bool ordered)
    {
        List<string> differences = [];
        if (expected.Count == 0)
        {
            return differences;
        }

        var types = found.DistinctBy(column => column.Name, StringComparer.Ordinal)
            .ToDictionary(column => column.Name, column => column.Type, StringComparer.Ordinal);
        differences.AddRange(expected.Where(column => !types.ContainsKey(column.Name)).Select(column => $"missing: {column.Name}"));
        differences.AddRange(expected.Where(column => column.Type is not null && types.TryGetValue(column.Name, out var type)
            && !type.Equals(column.Type, StringComparison.OrdinalIgnoreCase))
            .Select(column => $"type: {column.Name} is {types[column.Name]}, not {column.Type}"));
        var names = expected.Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
        if (exact)
        {
            differences.AddRange(found.Where(column => !names.Contains(column.Name)).Select(column => $"unexpected: {column.Name}"));
        }

        if (ordered && !expected.Select(column => column.Name).Where(types.ContainsKey)
            .SequenceEqual(found.Select(column => column.Name).Where(names.Contains), StringComparer.Ordinal))
        {
            differences.Add("order: the columns are in another order");
        }

        return differences;
    }
}
