using System.CommandLine;
using System.CommandLine.Help;
using Catalog.Migrations;
using Catalog.Migrations.Backup;
using Catalog.Migrations.Transfer;
using Catalog.Migrations.Verbs;

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

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithExamples)
{
    if (args.Length == 0)
    {
        root.Parse("--help").Invoke();
        return ExitCode.Usage;
    }

    if (parsed.CommandResult.Command == root && parsed.UnmatchedTokens.FirstOrDefault(word => !word.StartsWith('-')) is { } word && OtherNames.Of(word) is { } here)
    {
        var does = root.Subcommands.First(command => command.Name == here);
        new Output(args.Contains("--json")).Error("usage", $"There is no verb {word} here; it is called {here}: {does.Description!.Split(". ")[0].TrimEnd('.')}. Run `catalog-migrations {here}`, or first `catalog-migrations {here} --help`.");
        return ExitCode.Usage;
    }

    var verb = string.Concat(parsed.CommandResult.Command.Parents.OfType<Command>().Where(parent => parent != root).Append(parsed.CommandResult.Command)
        .Where(command => command != root).Select(command => command.Name + ' '));
    new Output(args.Contains("--json")).Error("usage", $"{string.Join(" ", parsed.Errors.Select(error => error.Message))} Run `catalog-migrations {verb}--help`.");
    return ExitCode.Usage;
}

// Long enough to roll back and to write down that it was interrupted.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(10) });
