using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Migrations;

/// <summary>
/// A schema as text: one line for each table, column, constraint, index, policy and so on, sorted. The text of each
/// revision is stored in <c>sql/ENGINE/fingerprint/</c>, so that a live schema can be compared with it and each
/// difference can be reported.
/// </summary>
public static class SchemaDescription
{
    /// <summary>The fingerprint: SHA-256 of the sorted lines in lower-case hexadecimal.</summary>
    public static string Fingerprint(IEnumerable<string> lines) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines.Order(StringComparer.Ordinal)))));

    /// <summary>Compares a live schema with a stored description.</summary>
    /// <returns>One line per difference, <c>missing: …</c> or <c>unexpected: …</c>; empty when there is none.</returns>
    public static IReadOnlyList<string> Compare(string stored, IEnumerable<string> live)
    {
        var expected = stored.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
        var found = live.ToHashSet(StringComparer.Ordinal);
        return
        [
            .. expected.Except(found).Order(StringComparer.Ordinal).Select(line => $"missing: {line}"),
            .. found.Except(expected).Order(StringComparer.Ordinal).Select(line => $"unexpected: {line}"),
        ];
    }

    /// <summary>
    /// The independent objects that the scripts of a chain create, newest first: tables, views, routines, sequences and
    /// types.
    /// </summary>
    internal static IReadOnlyList<(string Kind, string Name)> CreatedObjects(Chain chain) => CreatedObjects(chain.Scripts);

    /// <summary>The names of the tables that a chain creates.</summary>
    internal static IEnumerable<string> Tables(Chain chain) => CreatedObjects(chain).Where(created => created.Kind == "table")
        .Select(created => created.Name);

    /// <inheritdoc cref="CreatedObjects(Chain)"/>
    internal static IReadOnlyList<(string Kind, string Name)> CreatedObjects(IEnumerable<Script> scripts)
    {
        string[] modifiers = ["or", "replace", "temp", "temporary", "unlogged", "materialized", "if", "not", "exists"];
        var created = new List<(string Kind, string Name)>();
        foreach (var statement in scripts.SelectMany(script => script.Up.Statements).Where(statement => statement.Tokens[0].Is("create")))
        {
            var words = statement.Tokens.Skip(1).Where(token => !modifiers.Any(token.Is)).Take(4).ToList();
            if (words is [{ Kind: SqlTokenKind.Word } kind, var name, ..]
                && kind.Text.ToLowerInvariant() is "table" or "view" or "function" or "procedure" or "sequence" or "type" or "domain")
            {
                created.Add(
                    ((statement.Tokens.Any(token => token.Is("materialized")) ? "materialized " : "") + kind.Text.ToLowerInvariant(),
                        words is [_, _, var dot, var part] && dot.Is(".") ? $"{name.Text}.{part.Text}" : name.Text));
            }
        }

        created.Reverse();
        return [.. created.Distinct()];
    }
}
