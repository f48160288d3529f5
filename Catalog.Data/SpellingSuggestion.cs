namespace Catalog.Data;

/// <summary>Finds the known word that is closest to a mistyped word.</summary>
public static class SpellingSuggestion
{
    /// <summary>
    /// The word with the smallest edit distance to the text, ignoring case; null when there are no words.
    /// </summary>
    public static string? Of(string text, IEnumerable<string> words) => words.MinBy(word => Distance(text, word));

    /// <summary>
    /// Like <see cref="Of"/>, but finds only words that are close enough for a typing error: at most one edit for every
    /// three letters of the word, and at most three edits. Null when no word is close enough.
    /// </summary>
    public static string? FindTypo(string text, IEnumerable<string> words) =>
        Of(text, words.Where(word => Distance(text, word) <= Math.Min(3, word.Length / 3)));

    // The Levenshtein distance; only one row of the matrix is kept.
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
