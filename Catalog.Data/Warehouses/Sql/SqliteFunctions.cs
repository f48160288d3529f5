using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace Catalog.Data.Warehouses.Sql;

/// <summary>The functions that <see cref="SqliteSql"/> uses and SQLite does not have.</summary>
public static class SqliteFunctions
{
    /// <summary>Adds the functions to a connection.</summary>
    public static void Register(SqliteConnection connection)
    {
        // Without backtracking, a pattern takes time in proportion to the text.
        connection.CreateFunction<string?, string?, bool?>("regexp",
            (pattern, text) => pattern is null || text is null ? null : Regex.IsMatch(text, pattern, RegexOptions.NonBacktracking),
            isDeterministic: true);
        connection.CreateAggregate<double?, Moments, double?>("catalog_stddev", new(),
            (moments, value) => value is { } number ? moments.With(number) : moments, moments => moments.StandardDeviation,
            isDeterministic: true);
        connection.CreateAggregate<double?, double, (List<double>? Values, double Quantile), double?>("catalog_quantile", (null, 0),
            (state, value, quantile) =>
            {
                var values = state.Values ?? [];
                if (value is { } number)
                {
                    values.Add(number);
                }

                return (values, quantile);
            }, state => QuantileOf(state.Values, state.Quantile), isDeterministic: true);
    }

    private static double? QuantileOf(List<double>? values, double quantile)
    {
        if (values is not { Count: > 0 })
        {
            return null;
        }

        values.Sort();
        var position = quantile * (values.Count - 1);
        var (lower, upper) = (values[(int)Math.Floor(position)], values[(int)Math.Ceiling(position)]);
        return lower + ((upper - lower) * (position - Math.Floor(position)));
    }

    /// <summary>Count, mean and sum of squared differences, by Welford's method.</summary>
    private readonly record struct Moments(long Count, double Mean, double Squares)
    {
        public double? StandardDeviation => Count < 2 ? null : Math.Sqrt(Squares / (Count - 1));

        public Moments With(double value)
        {
            var delta = value - Mean;
            var mean = Mean + (delta / (Count + 1));
            return new(Count + 1, mean, Squares + (delta * (value - mean)));
        }
    }
}
