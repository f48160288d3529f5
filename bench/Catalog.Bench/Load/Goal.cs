using System.Globalization;

namespace Catalog.Bench.Load;

/// <summary>One line of the table at the end of a run.</summary>
internal sealed record Goal(string Workload, double Value, string Unit, double Wanted, bool AtLeast)
{
    public static Goal Least(string workload, double value, double wanted, string unit = "×") => new(workload, value, unit, wanted, true);

    public static Goal Most(string workload, double value, double wanted, string unit) => new(workload, value, unit, wanted, false);

    private bool Reached => AtLeast ? Value >= Wanted : Value <= Wanted;

    public static void Print(IReadOnlyList<Goal> goals)
    {
        Console.WriteLine("| workload | seen | goal | reached |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var goal in goals)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {goal.Workload} | {goal.Value:0.##} {goal.Unit} | {(goal.AtLeast ? "≥" : "≤")} {goal.Wanted:0.##} {goal.Unit} | {(goal.Reached ? "yes" : "**no**")} |"));
        }
    }
}
