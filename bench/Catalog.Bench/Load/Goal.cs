using System.Globalization;

namespace Catalog.Bench.Load;

/// <summary>A measured value and its target: one line of the table at the end of a run.</summary>
internal sealed record Goal(string Workload, double Value, string Unit, double Target, bool IsMinimum)
{
    public static Goal Minimum(string workload, double value, double target, string unit = "×") => new(workload, value, unit, target, true);

    public static Goal Maximum(string workload, double value, double target, string unit) => new(workload, value, unit, target, false);

    private bool Reached => IsMinimum ? Value >= Target : Value <= Target;

    public static void Print(IReadOnlyList<Goal> goals)
    {
        Console.WriteLine("| workload | measured | goal | reached |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var goal in goals)
        {
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {goal.Workload} | {goal.Value:0.##} {goal.Unit} | {(goal.IsMinimum ? "≥" : "≤")} {goal.Target:0.##} "
                        + $"{goal.Unit} | {(goal.Reached ? "yes" : "**no**")} |"));
        }
    }
}
