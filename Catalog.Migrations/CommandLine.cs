using System.CommandLine;
using System.CommandLine.Help;
using Catalog.Migrations.Verbs;

namespace Catalog.Migrations;

/// <summary>The verbs, and a run of one.</summary>
public static class CommandLine
{
    private static readonly RootCommand Root = Make();

    /// <summary>Runs the verb that the arguments name.</summary>
    /// <param name="args">As they are typed after the program's name.</param>
    /// <param name="around">What it reads and writes besides.</param>
    /// <param name="ct">Stops it, as Ctrl+C does.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> Run(string[] args, Surroundings around, CancellationToken ct = default)
    {
        var parsed = Root.Parse(args);
        if (parsed.Errors.Count == 0 || parsed.Action is HelpWithExamples)
        {
            return await parsed.InvokeAsync(around, ct);
        }

        if (args.Length == 0)
        {
            await Root.Parse("--help").InvokeAsync(around, ct);
            return ExitCode.Usage;
        }

        new Output(around, args.Contains("--json")).Error("usage", Refusal(parsed));
        return ExitCode.Usage;
    }

    private static string Refusal(ParseResult parsed)
    {
        if (parsed.CommandResult.Command == Root && parsed.UnmatchedTokens.FirstOrDefault(word => !word.StartsWith('-')) is { } word && OtherNames.Of(word) is { } here)
        {
            var does = Root.Subcommands.First(command => command.Name == here);
            return $"There is no verb {word} here; it is called {here}: {does.Description!.Split(". ")[0].TrimEnd('.')}. Run `catalog-migrations {here}`, or first `catalog-migrations {here} --help`.";
        }

        var verb = string.Concat(parsed.CommandResult.Command.Parents.OfType<Command>().Where(parent => parent != Root).Append(parsed.CommandResult.Command)
            .Where(command => command != Root).Select(command => command.Name + ' '));
        return $"{string.Join(" ", parsed.Errors.Select(error => error.Message))} Run `catalog-migrations {verb}--help`.";
    }

    private static RootCommand Make()
    {
        var root = new RootCommand("Brings the Catalog's database to the schema that the service wants, and says where it stands.")
        {
            CurrentVerb.Command(),
            HistoryVerb.Command(),
            UpgradeVerb.Command(),
            DowngradeVerb.Command(),
            SqlVerb.Command(),
            StampVerb.Command(),
            VerifyVerb.Command(),
            ResetVerb.Command(),
            WaitVerb.Command(),
            TransferVerb.Command(),
            NewVerb.Command(),
            DoctorVerb.Command(),
            KillVerb.Command(),
            GrantVerb.Command(),
            RetentionVerb.Command(),
            BackupVerb.Command(),
            RestoreVerb.Command(),
            BackupsVerb.Command(),
        };
        root.HelpName = "catalog-migrations";
        root.Options.Add(Verb.Json);
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }
}
