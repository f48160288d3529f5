namespace Catalog.Data;

/// <summary>Makes the text of other programs fit for storage.</summary>
public static class StoredText
{
    /// <summary>Replaces the character NUL, which Postgres cannot store.</summary>
    public static string Clean(string text) => text.Replace('\0', '\uFFFD');

    /// <summary>
    /// The first characters of a text. A pair of surrogates is not split, so the result can be one character shorter.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="most">The maximum number of UTF-16 characters, 1 or more.</param>
    public static string Cut(string text, int most) =>
        text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)];
}
