using System.CommandLine;
using Catalog.Migrations;

var root = new RootCommand("Brings the Catalog's database to the schema that the service wants, and says where it stands.")
{
    Upgrade.Command(),
    Current.Command(),
    History.Command(),
};

var parsed = root.Parse(args);
var code = await parsed.InvokeAsync();
return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
