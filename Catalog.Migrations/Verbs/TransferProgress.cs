using System.Globalization;
using Catalog.Migrations.Transfer;
using Spectre.Console;

namespace Catalog.Migrations.Verbs;

/// <summary>
/// Shows the progress of a transfer: one bar per table and phase in a terminal, at most one line per second in a pipe,
/// nothing in JSON mode.
/// </summary>
internal static class TransferProgress
{
    public static async Task<TransferReport> Show(Output output, Func<Action<TransferStep>?, Action<string>, Task<TransferReport>> work)
    {
        if (output.Json)
        {
            return await work(null, _ => { });
        }

        if (!output.Terminal || Console.IsErrorRedirected)
        {
            return await work(Lines(output), message => output.Progress(message));
        }

        return await AnsiConsole.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(),
                new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var bars = new Dictionary<(string, string), ProgressTask>();
                return work(step =>
                {
                    if (!bars.TryGetValue((step.Phase, step.Table), out var bar))
                    {
                        bars[(step.Phase, step.Table)] = bar = context.AddTask(
                            Markup.Escape($"{step.Phase} {step.Table}"), maxValue: Math.Max(1, step.Total));
                    }

                    bar.Value = step.Total == 0 ? 1 : step.Done;
                }, message => AnsiConsole.MarkupLineInterpolated($"{message}"));
            });
    }

    private static Action<TransferStep> Lines(Output output)
    {
        var lastShown = Environment.TickCount64;
        return step =>
        {
            if (Environment.TickCount64 - lastShown >= 1000)
            {
                lastShown = Environment.TickCount64;
                output.Progress(
                    string.Create(CultureInfo.InvariantCulture, $"{step.Phase} {step.Table} {step.Done:#,0} of {step.Total:#,0}"));
            }
        };
    }
}
