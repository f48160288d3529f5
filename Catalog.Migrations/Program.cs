using System.CommandLine;
using System.CommandLine.Help;
using Catalog.Migrations;

var root = new RootCommand("Brings the Catalog's database to the schema that the service wants, and says where it stands.")
{
    Current.Command(),
    History.Command(),
    Upgrade.Command(),
    Downgrade.Command(),
    Sql.Command(),
    Stamp.Command(),
    Verify.Command(),
    Reset.Command(),
    Wait.Command(),
    Doctor.Command(),
    Kill.Command(),
    Grant.Command(),
};
root.HelpName = "catalog-migrations";
root.Options.Add(Verb.Json);
var help = root.Options.OfType<HelpOption>().Single();
help.Action = new HelpWithExamples((HelpAction)help.Action!);

var parsed = root.Parse(args);
// Long enough to roll back and to write down that it was interrupted.
var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(10) });
return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
