using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Catalog.Data.Settings;

namespace Catalog.Data.Migrations;

/// <summary>The migration scripts of one engine in order, and checks of a journal against them.</summary>
public sealed partial class Chain
{
    /// <summary>The name of the state before the first script.</summary>
    public const string Base = "base";

    /// <summary>The name of the newest revision.</summary>
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
        Validate(folder, texts.Keys);
    }

    /// <summary>The scripts in the order of their numbers; never empty.</summary>
    public IReadOnlyList<Script> Scripts { get; }

    /// <summary>The scripts that are embedded in this build for one engine.</summary>
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

    /// <summary>The scripts of a directory such as <c>sql/</c>, which has one folder per engine.</summary>
    /// <exception cref="MigrationException">The directory has no folder for the engine, or its scripts are not a valid chain.</exception>
    public static Chain From(string directory, string folder)
    {
        if (!Directory.Exists(directory))
        {
            throw new SettingException(
                $"--scripts: the directory {directory} does not exist; name the directory with postgres/ and sqlite/, such as sql.");
        }

        var root = Path.Combine(directory, folder);
        if (!Directory.Exists(root))
        {
            throw new MigrationException(MigrationFault.ChainBroken,
                $"{directory} has no folder {folder}: name the directory with postgres/ and sqlite/, such as sql.");
        }

        return new(folder, Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Select(file => (Path: Path.GetRelativePath(root, file).Replace('\\', '/'), File: file))
            .Where(file => IsSql(file.Path) || file.Path.StartsWith("fingerprint/", StringComparison.Ordinal))
            .Select(file => (file.Path, Read(file.Path, file.File))));
    }

    /// <summary>
    /// The position of a revision: 0 for <see cref="Base"/>, 1 for the first script, the number of scripts for
    /// <see cref="Head"/>.
    /// </summary>
    /// <param name="target">A revision by name or number, <c>head</c>, <c>base</c>, or a step from
    /// <paramref name="from"/>: <c>+2</c>, <c>-1</c>.</param>
    /// <param name="from">The current position of the database.</param>
    /// <exception cref="MigrationException">The revision is unknown, or the step is out of range.</exception>
    public int Position(string target, int from)
    {
        if (target is [('+' or '-'), ..] && int.TryParse(target, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var step))
        {
            return from + step >= 0 && from + step <= Scripts.Count
                ? from + step
                : throw new MigrationException(MigrationFault.UnknownTarget,
                    $"{target} goes beyond the {(step < 0 ? "first" : "last")} script: the database is at {RevisionAt(from)}.");
        }

        return target switch
        {
            Base => 0,
            Head => Scripts.Count,
            _ => Scripts.Index().FirstOrDefault(script => script.Item.Matches(target)) is { Item: not null } found
                ? found.Index + 1
                : throw new MigrationException(
                    MigrationFault.UnknownTarget,
                    $"The revision {target} does not exist. Known revisions: "
                        + $"{string.Join(", ", Scripts.Select(script => script.Revision))}, base and head."),
        };
    }

    /// <summary>The revision at a position; <see cref="Base"/> at 0.</summary>
    public string RevisionAt(int position) => position == 0 ? Base : Scripts[position - 1].Revision;

    /// <summary>The position of a journal.</summary>
    /// <returns>The number of applied scripts, counted from the first without a gap.</returns>
    public int Position(IReadOnlyList<AppliedScript> applied)
    {
        var names = applied.Select(row => row.ScriptName).ToHashSet(StringComparer.Ordinal);
        return Scripts.TakeWhile(script => names.Contains(script.Name)).Count();
    }

    /// <summary>The contradictions between a journal and these scripts; empty when there are none.</summary>
    /// <param name="applied">The journal in the order in which it was written.</param>
    public IReadOnlyList<MigrationException> Faults(IReadOnlyList<AppliedScript> applied)
    {
        var known = Scripts.ToDictionary(script => script.Name, StringComparer.Ordinal);
        var faults = new List<MigrationException>();
        void Add(MigrationFault fault, string message) => faults.Add(new(fault, message));

        foreach (var twice in applied.GroupBy(row => row.ScriptName, StringComparer.Ordinal).Where(rows => rows.Count() > 1))
        {
            Add(MigrationFault.DuplicateRevision,
                $"The journal contains {twice.Key} {twice.Count()} times. Delete the later rows of schemaversions, then run "
                    + "`catalog-migrations verify`.");
        }

        foreach (var row in applied.Where(row => !known.ContainsKey(row.ScriptName)))
        {
            if (string.CompareOrdinal(row.ScriptName, Scripts[^1].Name) > 0)
            {
                Add(MigrationFault.NewerSchema,
                    $"The database has the script {row.ScriptName}, which is newer than this build. Use the build that contains it, "
                        + "or a later one.");
            }
            else
            {
                Add(MigrationFault.UnknownRevision,
                    $"The database has the script {row.ScriptName}, which this build does not know. Use the build that contains it; "
                        + "if the script was renamed, restore its old name.");
            }
        }

        foreach (var row in applied.Where(row => row.Checksum is { } sum && known.TryGetValue(row.ScriptName, out var script)
            && script.Checksum != sum))
        {
            Add(MigrationFault.ChecksumMismatch,
                $"{row.ScriptName} was changed after it was applied. Restore its text and write the change as a new script.");
        }

        var names = applied.Select(row => row.ScriptName).Where(known.ContainsKey).Distinct(StringComparer.Ordinal).ToList();
        if (Scripts.Take(Position(applied)..).FirstOrDefault(script => names.Contains(script.Name)) is { } later)
        {
            Add(MigrationFault.HistoryGap,
                $"{Scripts[Position(applied)].Name} was not applied, although {later.Name} was. Give it a number after the last "
                    + $"script, or apply it by hand and run `catalog-migrations stamp {later.Revision}`.");
        }

        if (!names.SequenceEqual(names.Order(StringComparer.Ordinal), StringComparer.Ordinal))
        {
            Add(MigrationFault.OutOfOrder,
                $"Scripts were applied out of order: {string.Join(", ", names)}. Run `catalog-migrations verify`, and repair every "
                    + "other fault that it reports. Then run `catalog-migrations stamp "
                    + $"{Path.GetFileNameWithoutExtension(names.Max(StringComparer.Ordinal))}`, which writes the journal in order.");
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
            throw new MigrationException(MigrationFault.ScriptUnreadable, $"{path} is not UTF-8: save it as UTF-8.", exception);
        }
    }

    private void Validate(string folder, IReadOnlyCollection<string> files)
    {
        if (files.FirstOrDefault(file => IsSql(file) && (file.StartsWith("down/", StringComparison.Ordinal) ? file["down/".Length..] : file)
            .Contains('/', StringComparison.Ordinal)) is { } deep)
        {
            throw new MigrationException(MigrationFault.ChainBroken,
                $"{folder}/{deep} would never be applied: scripts must be directly in {folder}/, down scripts in {folder}/down/.");
        }

        // With no scripts, every database would seem to be at head.
        if (Scripts.Count == 0)
        {
            throw new MigrationException(MigrationFault.ChainBroken,
                $"The folder {folder}/ of the scripts contains no .sql file. Set --scripts to the directory that has postgres/ and "
                    + "sqlite/, such as sql.");
        }

        if (Scripts.FirstOrDefault(script => !ScriptName().IsMatch(script.Name)) is { } odd)
        {
            throw new MigrationException(MigrationFault.ChainBroken,
                $"{folder}/{odd.Name}: name scripts NNNN_name.sql, with four digits, lower-case letters and underscores.");
        }

        foreach (var (index, script) in Scripts.Index())
        {
            if (index > 0 && script.Number == Scripts[index - 1].Number)
            {
                throw new MigrationException(
                    MigrationFault.ChainBroken,
                    $"{folder}: {Scripts[index - 1].Name} and {script.Name} have the same number. Renumber the one that was not "
                        + "applied to any database.");
            }

            if (script.Number != index + 1)
            {
                throw new MigrationException(
                    MigrationFault.ChainBroken,
                    $"{folder}: script {index + 1:0000} is missing before {script.Name}. Restore its file; applied scripts are "
                        + "never deleted.");
            }
        }

        if (files.FirstOrDefault(file => file.StartsWith("down/", StringComparison.Ordinal)
            && Scripts.All(script => script.Name != file["down/".Length..])) is { } lost)
        {
            throw new MigrationException(MigrationFault.ChainBroken,
                $"{folder}/{lost} belongs to no script. Give it the name of its up script, or delete it.");
        }
    }

    [GeneratedRegex(@"^\d{4}_[a-z0-9_]+\.sql\z")]
    private static partial Regex ScriptName();
}
