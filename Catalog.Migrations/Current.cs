using System.CommandLine;

namespace Catalog.Migrations;

internal static class Current
{
    public static Command Command() => Verb.On("current", "Prints the newest applied revision; exits 0 at head and 3 when scripts are pending. Example: catalog-migrations current", async (migrator, _, ct) =>
    {
        var applied = await migrator.History(ct);
        var pending = migrator.Scripts.ExceptBy(applied.Select(row => row.ScriptName), script => script.Name).ToList();
        Console.WriteLine(applied.Count == 0 ? "base" : Path.GetFileNameWithoutExtension(applied[^1].ScriptName));
        foreach (var script in pending)
        {
            Console.WriteLine($"pending {Path.GetFileNameWithoutExtension(script.Name)}");
        }

        return pending.Count == 0 ? ExitCode.Ok : ExitCode.Pending;
    });
}
