using System.CommandLine;
using System.Globalization;

namespace Catalog.Migrations;

internal static class Upgrade
{
    public static Command Command()
    {
        var command = Verb.On("upgrade", "Applies every pending script, each in a transaction of its own. Example: catalog-migrations upgrade head", async (migrator, _, ct) =>
        {
            var count = await migrator.Upgrade(
                (script, seconds) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"applied {script.Name} in {seconds:0.000} s")), ct);
            Console.WriteLine(count == 0 ? $"at head: {Path.GetFileNameWithoutExtension(migrator.Scripts[^1].Name)}, nothing to do" : $"at head: {Path.GetFileNameWithoutExtension(migrator.Scripts[^1].Name)}");
            return ExitCode.Ok;
        });
        var target = new Argument<string>("target") { Description = "How far to go: head.", DefaultValueFactory = _ => "head" };
        target.AcceptOnlyFromAmong("head");
        command.Arguments.Add(target);
        return command;
    }
}
