namespace Catalog.Migrations;

/// <summary>What other migrators call the verbs: whoever types one of these is told the name here.</summary>
internal static class OtherNames
{
    private static readonly Dictionary<string, string> Verbs = new(StringComparer.OrdinalIgnoreCase)
    {
        ["migrate"] = "upgrade", ["up"] = "upgrade", ["apply"] = "upgrade", ["update"] = "upgrade", ["deploy"] = "upgrade", ["run"] = "upgrade", ["latest"] = "upgrade",
        ["rollback"] = "downgrade", ["down"] = "downgrade", ["undo"] = "downgrade", ["revert"] = "downgrade",
        ["status"] = "current", ["info"] = "current", ["heads"] = "current", ["head"] = "current", ["version"] = "current", ["state"] = "current", ["pending"] = "current",
        ["log"] = "history", ["list"] = "history", ["showmigrations"] = "history", ["show"] = "history",
        ["validate"] = "verify", ["check"] = "verify", ["diff"] = "verify",
        ["baseline"] = "stamp", ["mark"] = "stamp", ["repair"] = "stamp", ["fake"] = "stamp", ["force"] = "stamp",
        ["clean"] = "reset", ["drop"] = "reset", ["fresh"] = "reset", ["refresh"] = "reset",
        ["plan"] = "sql", ["script"] = "sql", ["preview"] = "sql", ["sqlmigrate"] = "sql", ["dry-run"] = "sql",
        ["revision"] = "new", ["create"] = "new", ["make"] = "new", ["generate"] = "new", ["add"] = "new", ["makemigrations"] = "new",
        ["dump"] = "backup", ["export"] = "backup", ["import"] = "restore", ["ping"] = "wait", ["copy"] = "transfer", ["prune"] = "retention", ["cleanup"] = "retention",
    };

    /// <summary>The verb that does what another migrator's does; null when the word is not one of theirs.</summary>
    public static string? Of(string word) => Verbs.GetValueOrDefault(word);
}
