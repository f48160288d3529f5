using System.Globalization;
using Catalog.Migrations.Transfer;
using Spectre.Console;

namespace Catalog.Migrations.Verbs;

/// <summary>Shows how far a transfer is: a bar for each table and phase in a terminal, at most a line a second in a pipe, nothing to a program.</summary>
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
            return await work(Lines(output), words => output.Progress(words));
        }

        return await AnsiConsole.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var bars = new Dictionary<(string, string), ProgressTask>();
                return work(step =>
                {
                    if (!bars.TryGetValue((step.Phase, step.Table), out var bar))
                    {
                        bars[(step.Phase, step.Table)] = bar = context.AddTask(Markup.Escape($"{step.Phase} {step.Table}"), maxValue: Math.Max(1, step.Total));
                    }

                    bar.Value = step.Total == 0 ? 1 : step.Done;
                }, words => AnsiConsole.MarkupLineInterpolated($"{words}"));
            });
    }

    private static Action<TransferStep> Lines(Output output)
    {
        var said = Environment.TickCount64;
        return step =>
        {
            if (Environment.TickCount64 - said >= 1000)
            {
                said = Environment.TickCount64;
                output.Progress(string.Create(CultureInfo.InvariantCulture, $"{step.Phase} {step.Table} {step.Done:#,0} of {step.Total:#,0}"));
            }
        };
    }
}
