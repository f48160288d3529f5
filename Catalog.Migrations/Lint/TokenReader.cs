using Catalog.Data.Migrations;

namespace Catalog.Migrations.Lint;

/// <summary>Reads tokens from left to right.</summary>
internal sealed class TokenReader(IReadOnlyList<SqlToken> tokens)
{
    private int _at;

    /// <summary>Whether nothing is left.</summary>
    public bool AtEnd => _at >= tokens.Count;

    /// <summary>What is left.</summary>
    public IReadOnlyList<SqlToken> Rest => [.. tokens.Skip(_at)];

    /// <summary>Whether these words come next, separated by blanks.</summary>
    public bool Sees(string phrase) => tokens.At(_at, phrase.Split(' '));

    /// <summary>Passes over these words if they come next.</summary>
    public bool Take(string phrase)
    {
        var sees = Sees(phrase);
        _at += sees ? phrase.Split(' ').Length : 0;
        return sees;
    }

    /// <summary>Passes over any of these words, as many as come.</summary>
    public void Skip(params string[] words)
    {
        while (!AtEnd && words.Any(tokens[_at].Is))
        {
            _at++;
        }
    }

    /// <summary>Passes over the name that comes next; empty at the end. <c>public.runs</c> is <c>runs</c>, as the runner's search path has it.</summary>
    public string Name()
    {
        var name = "";
        do
        {
            name += AtEnd ? "" : (name.Length > 0 ? "." : "") + tokens[_at++].Name();
        }
        while (Take("."));
        return name.StartsWith("public.", StringComparison.Ordinal) ? name["public.".Length..] : name.StartsWith("main.", StringComparison.Ordinal) ? name["main.".Length..] : name;
    }

    /// <summary>Passes over the names that come next, separated by commas.</summary>
    public IReadOnlyList<string> Names()
    {
        List<string> names = [Name()];
        while (Take(","))
        {
            names.Add(Name());
        }

        return names;
    }

    /// <summary>Passes over the parenthesis that comes next.</summary>
    /// <returns>What stands within; empty where none comes.</returns>
    public IReadOnlyList<SqlToken> Parenthesis()
    {
        if (!Take("("))
        {
            return [];
        }

        var (from, depth) = (_at, 1);
        while (!AtEnd && depth > 0)
        {
            depth += tokens[_at].Is("(") ? 1 : tokens[_at].Is(")") ? -1 : 0;
            _at++;
        }

        return [.. tokens.Take(_at - (depth == 0 ? 1 : 0)).Skip(from)];
    }
}

/// <summary>What is asked of tokens.</summary>
internal static class Tokens
{
    /// <summary>Whether these words stand at a place.</summary>
    public static bool At(this IReadOnlyList<SqlToken> tokens, int place, params ReadOnlySpan<string> words)
    {
        for (var word = 0; word < words.Length; word++)
        {
            if (place + word < 0 || place + word >= tokens.Count || !tokens[place + word].Is(words[word]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Where these words, separated by blanks, first stand one after the other; -1 where they do not.</summary>
    public static int Find(this IReadOnlyList<SqlToken> tokens, string phrase)
    {
        var words = phrase.Split(' ');
        return Enumerable.Range(0, tokens.Count).FirstOrDefault(place => tokens.At(place, words), -1);
    }

    /// <summary>Whether these words stand one after the other somewhere.</summary>
    public static bool Has(this IReadOnlyList<SqlToken> tokens, string phrase) => tokens.Find(phrase) >= 0;

    /// <summary>The parts between the commas that stand in no parenthesis.</summary>
    public static IEnumerable<IReadOnlyList<SqlToken>> Parts(this IReadOnlyList<SqlToken> tokens)
    {
        var (from, depth) = (0, 0);
        for (var place = 0; place <= tokens.Count; place++)
        {
            if (place == tokens.Count || (depth == 0 && tokens[place].Is(",")))
            {
                if (place > from)
                {
                    yield return [.. tokens.Take(place).Skip(from)];
                }

                from = place + 1;
            }
            else
            {
                depth += tokens[place].Is("(") ? 1 : tokens[place].Is(")") ? -1 : 0;
            }
        }
    }

    /// <summary>As the engine keeps it: without quotes, or in small letters.</summary>
    public static string Name(this SqlToken token) => token.Kind == SqlTokenKind.QuotedName
        ? token.Text[1..^1].Replace(new string(token.Text[0], 2), token.Text[..1], StringComparison.Ordinal)
        : token.Text.ToLowerInvariant();

    /// <summary>A type or an action in one spelling: small letters, one blank between tokens, quoted names as they are (<c>"char"</c> is another type than <c>char</c>).</summary>
    public static string Words(this IEnumerable<SqlToken> tokens) => string.Join(' ', tokens.Select(token => token.Kind == SqlTokenKind.QuotedName ? token.Text : token.Name()));
}
