using System.CommandLine;
using System.CommandLine.Help;
using Catalog.Migrations.Verbs;

namespace Catalog.Migrations;

/// <summary>The command line: all verbs, and the method that runs one of them.</summary>
public static class CommandLine
{
    private static readonly RootCommand Root = BuildRoot();

    /// <summary>Runs the verb that the arguments name.</summary>
    /// <param name="args">The arguments after the program's name.</param>
    /// <param name="context">Settings, input and output.</param>
    /// <param name="ct">Cancels the operation, as Ctrl+C does.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> Run(string[] args, ConsoleContext context, CancellationToken ct = default)
    {
        var parsed = Root.Parse(args);
        if (parsed.Errors.Count == 0 || parsed.Action is HelpWithExamples)
        {
            return await parsed.InvokeAsync(context, ct);
        }

        if (args.Length == 0)
        {
            await Root.Parse("--help").InvokeAsync(context, ct);
            return ExitCode.Usage;
        }

        new Output(context, args.Contains("--json")).Error("usage", UsageError(parsed));
        return ExitCode.Usage;
    }

    private static string UsageError(ParseResult parsed)
    {
        if (parsed.CommandResult.Command == Root && parsed.UnmatchedTokens.FirstOrDefault(word => !word.StartsWith('-')) is { } word
            && VerbSynonyms.Of(word) is { } name)
        {
            var command = Root.Subcommands.First(command => command.Name == name);
            return $"Unknown command {word}. Use {name}: {command.Description!.Split(". ")[0].TrimEnd('.')}. Run "
                + $"`catalog-migrations {name}`, or `catalog-migrations {name} --help` first.";
        }

        var verb = string.Concat(parsed.CommandResult.Command.Parents.OfType<Command>().Where(parent => parent != Root)
            .Append(parsed.CommandResult.Command)
            .Where(command => command != Root).Select(command => command.Name + ' '));
        return $"{string.Join(" ", parsed.Errors.Select(error => error.Message))} Run `catalog-migrations {verb}--help`.";
    }

    private static RootCommand BuildRoot()
    {
        var root = new RootCommand(
            "Migrates the Catalog's database schema, reports its state, and backs up, restores and maintains the database.")
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
            ResealVerb.Command(),
            RetentionVerb.Command(),
            ReplayVerb.Command(),
            DistributeVerb.Command(),
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
