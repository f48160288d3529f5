using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Catalog.Data.Database;

namespace Catalog.Data.Migrations;

/// <summary>The scripts of one engine in order, and what a journal says measured against them.</summary>
public sealed partial class Chain
{
    /// <summary>The word for a database that has had no script.</summary>
    public const string Base = "base";

    /// <summary>The word for the newest script.</summary>
    public const string Head = "head";

    private Chain(string folder, IEnumerable<(string Path, string Text)> files)
    {
        var texts = files.ToDictionary(file => file.Path, file => file.Text, StringComparer.Ordinal);
        SqlFile? Down(string name) => texts.TryGetValue($"down/{name}", out var sql) ? new SqlFile($"down/{name}", sql) : null;

        Scripts =
        [
            .. texts.Where(file => !file.Key.Contains('/', StringComparison.Ordinal) && IsSql(file.Key))
                .OrderBy(file => file.Key, StringComparer.Ordinal)
                .Select(file => new Script
                {
                    Up = new SqlFile(file.Key, file.Value),
                    Down = Down(file.Key),
                    Fingerprint = texts.GetValueOrDefault($"fingerprint/{Path.ChangeExtension(file.Key, ".txt")}"),
                }),
        ];
        Refuse(folder, texts.Keys);
    }

    /// <summary>In the order of their numbers; never empty.</summary>
    public IReadOnlyList<Script> Scripts { get; }

    /// <summary>The scripts that this build holds for an engine's folder.</summary>
    public static Chain BuiltIn(string folder)
    {
        var assembly = typeof(Chain).Assembly;
        string Read(string name)
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
            return reader.ReadToEnd();
        }

        return new(folder, assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(folder + '/', StringComparison.Ordinal))
            .Select(name => (name[(folder.Length + 1)..], Read(name))));
    }

    /// <summary>The scripts of a directory such as <c>sql/</c>, which holds one folder an engine.</summary>
    /// <exception cref="MigrationException">The directory has no such folder, or its scripts are no chain.</exception>
    public static Chain From(string directory, string folder)
    {
        if (!Directory.Exists(directory))
        {
            throw new SettingException($"--scripts: there is no directory {directory}; name the one that holds postgres/ and sqlite/, such as sql.");
        }

        var root = Path.Combine(directory, folder);
        if (!Directory.Exists(root))
        {
            throw new MigrationException(MigrationFault.ChainBroken, $"{directory} has no folder {folder}: name the directory that holds postgres/ and sqlite/, such as sql.");
        }

        return new(folder, Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Select(file => (Path: Path.GetRelativePath(root, file).Replace('\\', '/'), File: file))
            .Where(file => IsSql(file.Path) || file.Path.StartsWith("fingerprint/", StringComparison.Ordinal))
            .Select(file => (file.Path, Read(file.Path, file.File))));
    }

    /// <summary>The place of a revision: 0 for <see cref="Base"/>, 1 for the first script, the number of scripts for <see cref="Head"/>.</summary>
    /// <param name="target">A revision by name or number, <c>head</c>, <c>base</c>, or a step from <paramref name="from"/>: <c>+2</c>, <c>-1</c>.</param>
    /// <param name="from">Where the database is.</param>
    /// <exception cref="MigrationException">No script is called so, or the step leads beyond an end.</exception>
    public int Place(string target, int from)
    {
        if (target is [('+' or '-'), ..] && int.TryParse(target, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var step))
        {
            return from + step >= 0 && from + step <= Scripts.Count
                ? from + step
                : throw new MigrationException(MigrationFault.UnknownTarget, $"{target} leads beyond the {(step < 0 ? "first" : "last")} script: the database is at {Name(from)}.");
        }

        return target switch
        {
            Base => 0,
            Head => Scripts.Count,
            _ => Scripts.Index().FirstOrDefault(script => script.Item.IsCalled(target)) is { Item: not null } found
                ? found.Index + 1
                : throw new MigrationException(MigrationFault.UnknownTarget, $"No revision is called {target}. There are: {string.Join(", ", Scripts.Select(script => script.Revision))}, base and head."),
        };
    }

    /// <summary>The revision at a place, <see cref="Base"/> at 0.</summary>
    public string Name(int place) => place == 0 ? Base : Scripts[place - 1].Revision;

    /// <summary>Where the journal stands.</summary>
    /// <returns>The number of scripts from the first on that were applied.</returns>
    public int Place(IReadOnlyList<AppliedScript> applied)
    {
        var names = applied.Select(row => row.ScriptName).ToHashSet(StringComparer.Ordinal);
        return Scripts.TakeWhile(script => names.Contains(script.Name)).Count();
    }

    /// <summary>What a journal says that these scripts cannot explain; empty when all is well.</summary>
    /// <param name="applied">The journal in the order it was written.</param>
    public IReadOnlyList<MigrationException> Faults(IReadOnlyList<AppliedScript> applied)
    {
        var known = Scripts.ToDictionary(script => script.Name, StringComparer.Ordinal);
        var faults = new List<MigrationException>();
        void Add(MigrationFault fault, string message) => faults.Add(new(fault, message));

        foreach (var twice in applied.GroupBy(row => row.ScriptName, StringComparer.Ordinal).Where(rows => rows.Count() > 1))
        {
            Add(MigrationFault.DuplicateRevision, $"The journal names {twice.Key} {twice.Count()} times. Delete the later rows of schemaversions, then run `catalog-migrations verify`.");
        }

        foreach (var row in applied.Where(row => !known.ContainsKey(row.ScriptName)))
        {
            if (string.CompareOrdinal(row.ScriptName, Scripts[^1].Name) > 0)
            {
                Add(MigrationFault.NewerSchema, $"The database has had {row.ScriptName}, which is newer than this build. Use the build that brought it, or a later one.");
            }
            else
            {
                Add(MigrationFault.UnknownRevision, $"The database has had {row.ScriptName}, which this build does not know. Use the build that brought it; if that script was renamed, put its old name back.");
            }
        }

        foreach (var row in applied.Where(row => row.Checksum is { } sum && known.TryGetValue(row.ScriptName, out var script) && script.Checksum != sum))
        {
            Add(MigrationFault.ChecksumMismatch, $"{row.ScriptName} was changed after it was applied. Restore its text and put the change into a new script.");
        }

        var names = applied.Select(row => row.ScriptName).Where(known.ContainsKey).Distinct(StringComparer.Ordinal).ToList();
        if (Scripts.Take(Place(applied)..).FirstOrDefault(script => names.Contains(script.Name)) is { } later)
        {
            Add(MigrationFault.HistoryGap, $"{Scripts[Place(applied)].Name} was not applied, although {later.Name} was. It came late: give it a number after the last one, or apply it by hand and run `catalog-migrations stamp {later.Revision}`.");
        }

        if (!names.SequenceEqual(names.Order(StringComparer.Ordinal), StringComparer.Ordinal))
        {
            Add(MigrationFault.OutOfOrder, $"Scripts were applied out of order: {string.Join(", ", names)}. If `catalog-migrations verify` finds no other fault, `catalog-migrations stamp {Path.GetFileNameWithoutExtension(names.Max(StringComparer.Ordinal))}` writes the journal anew.");
        }

        return faults;
    }

    private static bool IsSql(string path) => path.EndsWith(".sql", StringComparison.OrdinalIgnoreCase);

    private static string Read(string path, string file)
    {
        try
        {
            return File.ReadAllText(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        }
        catch (DecoderFallbackException exception)
        {
            throw new MigrationException(MigrationFault.ScriptUnreadable, $"{path} is not UTF-8: save it so, or text in it would change.", exception);
        }
    }

    private void Refuse(string folder, IReadOnlyCollection<string> files)
    {
        if (files.FirstOrDefault(file => IsSql(file) && (file.StartsWith("down/", StringComparison.Ordinal) ? file["down/".Length..] : file).Contains('/', StringComparison.Ordinal)) is { } deep)
        {
            throw new MigrationException(MigrationFault.ChainBroken, $"{folder}/{deep} would never be applied: scripts lie directly in {folder}/, their ways back in {folder}/down/.");
        }

        // Without any, every database would seem to be at head.
        if (Scripts.Count == 0)
        {
            throw new MigrationException(MigrationFault.ChainBroken, $"There are no scripts in {folder}.");
        }

        if (Scripts.FirstOrDefault(script => !ScriptName().IsMatch(script.Name)) is { } odd)
        {
            throw new MigrationException(MigrationFault.ChainBroken, $"{folder}/{odd.Name}: call scripts NNNN_name.sql with four digits, small letters and underscores.");
        }

        foreach (var (index, script) in Scripts.Index())
        {
            if (index > 0 && script.Number == Scripts[index - 1].Number)
            {
                throw new MigrationException(MigrationFault.ChainBroken, $"{folder}: {Scripts[index - 1].Name} and {script.Name} carry the same number. Renumber the one that was not applied anywhere.");
            }

            if (script.Number != index + 1)
            {
                throw new MigrationException(MigrationFault.ChainBroken, $"{folder}: script {index + 1:0000} is missing before {script.Name}. Bring its file back; an applied script is never deleted.");
            }
        }

        if (files.FirstOrDefault(file => file.StartsWith("down/", StringComparison.Ordinal) && Scripts.All(script => script.Name != file["down/".Length..])) is { } lost)
        {
            throw new MigrationException(MigrationFault.ChainBroken, $"{folder}/{lost} belongs to no script.");
        }
    }

    [GeneratedRegex(@"^\d{4}_[a-z0-9_]+\.sql\z")]
    private static partial Regex ScriptName();
}
