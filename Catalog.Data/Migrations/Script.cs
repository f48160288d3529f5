using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Catalog.Data.Migrations;

/// <summary>One migration script as it was built into the program.</summary>
/// <param name="Name">The bare file name, which is what the journal holds: <c>0001_initial.sql</c>.</param>
/// <param name="Sql">Its text.</param>
public sealed record Script(string Name, string Sql)
{
    /// <summary>SHA-256 of the text with line ends as LF, in lower-case hexadecimal: a checkout with CRLF is the same script.</summary>
    public string Checksum { get; } = Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));

    /// <summary>All scripts of one folder below <c>sql/</c>, in the order of their names.</summary>
    public static IReadOnlyList<Script> In(string folder)
    {
        var assembly = typeof(Script).Assembly;
        List<Script> scripts =
        [
            .. assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith(folder + '/', StringComparison.Ordinal) && name.IndexOf('/', folder.Length + 1) < 0)
                .Order(StringComparer.Ordinal)
                .Select(name => new Script(name[(folder.Length + 1)..], Read(assembly, name))),
        ];
        // Without any, every database would seem to be at head.
        return scripts.Count > 0 ? scripts : throw new InvalidOperationException($"This build holds no scripts of sql/{folder}; build it from a whole tree.");
    }

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
