namespace Catalog.Migrations.Verbs;

/// <summary>The verb names of other migration tools, for the hint in an error message.</summary>
internal static class VerbSynonyms
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
    }.SelectMany(verb => verb.Item2.Split(' '), (verb, word) => (verb.Item1, word)).ToDictionary(pair => pair.word, pair =>
        pair.Item1, StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the verb for another tool's verb name; null when the word is unknown.</summary>
    public static string? Of(string word) => Verbs.GetValueOrDefault(word);
}
