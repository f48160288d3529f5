namespace Catalog.Data;

/// <summary>Finds the word that somebody who mistyped may have meant.</summary>
public static class Nearest
{
    /// <summary>The word that fewest changes of a letter make of the text, in any case, or null when there are no words.</summary>
    public static string? Of(string text, IEnumerable<string> words) => words.MinBy(word => Distance(text, word));

    /// <summary>The same, of the words that are near enough to be meant: three changes at most, and one for every three letters.</summary>
    public static string? Likely(string text, IEnumerable<string> words) =>
        Of(text, words.Where(word => Distance(text, word) <= Math.Min(3, word.Length / 3)));

    // Levenshtein's distance, one row at a time.
    private static int Distance(string text, string word)
    {
        var row = Enumerable.Range(0, word.Length + 1).ToArray();
        for (var i = 0; i < text.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i + 1;
            for (var j = 0; j < word.Length; j++)
            {
                var changed = diagonal + (char.ToLowerInvariant(text[i]) == char.ToLowerInvariant(word[j]) ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(changed, Math.Min(diagonal, row[j]) + 1);
            }
        }

        return row[^1];
    }
}
