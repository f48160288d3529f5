namespace Catalog.Migrations.Verbs;

/// <summary>What other migrators call the verbs: whoever types one of these is told the name here.</summary>
internal static class OtherNames
{
    private static readonly Dictionary<string, string> Verbs = new[]
    {
        ("upgrade", "migrate up apply update deploy run latest"),
        ("downgrade", "rollback down undo revert"),
        ("current", "status info heads head version state pending"),
        ("history", "log list show showmigrations"),
        ("verify", "validate check diff"),
        ("stamp", "baseline mark repair fake force"),
        ("reset", "clean drop fresh refresh"),
        ("sql", "plan script preview sqlmigrate dry-run"),
        ("new", "revision create make generate add makemigrations"),
        ("backup", "dump export"),
        ("restore", "import"),
        ("wait", "ping"),
        ("transfer", "copy"),
        ("retention", "prune cleanup"),
    }.SelectMany(verb => verb.Item2.Split(' '), (verb, word) => (verb.Item1, word)).ToDictionary(pair => pair.word, pair => pair.Item1, StringComparer.OrdinalIgnoreCase);

    /// <summary>The verb that does what another migrator's does; null when the word is not one of theirs.</summary>
    public static string? Of(string word) => Verbs.GetValueOrDefault(word);
}
