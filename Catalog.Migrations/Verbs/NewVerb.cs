using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

internal static class NewVerb
{
    private const int LastNumber = 9999;
    private const string LockFile = ".new.lock";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly string[] Engines = ["postgres", "sqlite"];
    private static readonly string[] Folders = ["", "down"];

    public static Command Command()
    {
        var name = new Argument<string>("name") { Description = "What the revision does, in small letters, digits and underscores: add_owner." };
        name.Validators.Add(result =>
        {
            if (Refusal(result.GetValueOrDefault<string>()) is { } refusal)
            {
                result.AddError(refusal);
            }
        });
        var scripts = new Option<string?>("--scripts")
        {
            Description = "The directory that holds postgres/ and sqlite/; absent: the nearest directory `sql` from here upward that does.",
            HelpName = "DIRECTORY",
        };
        var command = Verb.On("new",
            "Make the four files of the next revision: both engines' scripts and their ways back. Needs no database.",
            "new add_owner\nnew add_owner --scripts sql --json",
            (arguments, output, _) =>
            {
                var made = Make(arguments.GetValue(scripts) ?? Nearest(Environment.CurrentDirectory), arguments.GetRequiredValue(name));
                foreach (var file in made)
                {
                    output.Line(file);
                }

                output.Document(new { revision = Path.GetFileNameWithoutExtension(made[0]), files = made });
                return Task.FromResult(ExitCode.Ok);
            });
        command.Arguments.Add(name);
        command.Options.Add(scripts);
        return command;
    }

    /// <summary>Why a revision cannot be called so; null when it can.</summary>
    public static string? Refusal(string? name)
    {
        if (name is { Length: > 0 } && name.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '_'))
        {
            return null;
        }

        var letters = string.Concat((name ?? "").ToLowerInvariant().Select(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) ? character : '_'));
        var suggested = string.Join('_', letters.Split('_', StringSplitOptions.RemoveEmptyEntries));
        return $"Write the name in small letters, digits and underscores: catalog-migrations new {(suggested.Length > 0 ? suggested : "add_owner")}";
    }

    /// <summary>The nearest directory <c>sql</c> from a directory upward that holds both engines' folders.</summary>
    /// <exception cref="MigrationException">There is none.</exception>
    public static string Nearest(string from)
    {
        for (var directory = from; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (Path.GetFileName(directory) == "sql" && IsHome(directory))
            {
                return directory;
            }

            if (Path.Combine(directory, "sql") is var below && IsHome(below))
            {
                return below;
            }
        }

        throw new MigrationException(MigrationFault.ChainBroken, $"No directory `sql` with postgres/ and sqlite/ in it from {from} upward: go to the repository, or name it with --scripts DIRECTORY.");
    }

    /// <summary>Makes the files of the next revision, all of them or none.</summary>
    /// <returns>Their paths.</returns>
    /// <exception cref="MigrationException">The directory is none of scripts, the engines' newest scripts differ, or the numbers are used up.</exception>
    /// <exception cref="IOException">A file is there already or cannot be made, or another one is still making its own after <paramref name="patience"/>.</exception>
    public static IReadOnlyList<string> Make(string directory, string name, TimeSpan? patience = null)
    {
        if (!IsHome(directory))
        {
            throw new MigrationException(MigrationFault.ChainBroken, $"{directory} does not hold postgres/ and sqlite/: name the directory that does, such as sql.");
        }

        using var alone = Alone(directory, patience ?? Patience);
        var (postgres, sqlite) = (Newest(directory, "postgres"), Newest(directory, "sqlite"));
        if (postgres.Number != sqlite.Number)
        {
            throw new MigrationException(MigrationFault.ChainBroken,
                $"The newest script of postgres is {postgres.File}, and that of sqlite is {sqlite.File}. Scripts come in pairs: write the one that is missing (comments only where that engine has nothing to do), then run this again.");
        }

        if (postgres.Number == LastNumber)
        {
            throw new MigrationException(MigrationFault.ChainBroken, $"{LastNumber} is the last number that four digits hold. Fold the scripts into a new 0001 and stamp the databases with it.");
        }

        var revision = string.Create(CultureInfo.InvariantCulture, $"{postgres.Number + 1:0000}_{name}");
        List<(string Path, string Text)> files =
        [
            .. from engine in Engines
               from folder in Folders
               select (Path.Combine(directory, engine, folder, $"{revision}.sql"), folder.Length == 0 ? UpText(engine, revision) : DownText(engine, revision)),
        ];
        MakeAll(files);
        return [.. files.Select(file => file.Path)];
    }

    private static bool IsHome(string directory) => Directory.Exists(Path.Combine(directory, "postgres")) && Directory.Exists(Path.Combine(directory, "sqlite"));

    // Two at once would both find the same number free. Only who creates the file deletes it: a lock on one that is
    // opened would hold nobody off once its name is deleted and made anew.
    private static FileStream Alone(string directory, TimeSpan patience)
    {
        var path = Path.Combine(directory, LockFile);
        var (began, without) = (Stopwatch.GetTimestamp(), 0);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It may have gone just now, and Windows denies access to one that is going; but then it is soon gone.
                without += File.Exists(path) ? 0 : 1;
                if (without > 20)
                {
                    throw new IOException($"{directory} cannot be written to: {exception.Message}", exception);
                }

                if (Stopwatch.GetElapsedTime(began) > patience)
                {
                    throw new IOException($"Another `catalog-migrations new` is at work in {directory}, so nothing was made. Run this again; if none is at work, delete {path} first.", exception);
                }
            }

            Thread.Sleep(20);
        }
    }

    private static (int Number, string File) Newest(string directory, string engine) => Directory.EnumerateFiles(Path.Combine(directory, engine), "*.sql")
        .Select(file => Path.GetFileName(file))
        .Where(file => file.Length > 4 && file[4] == '_' && int.TryParse(file.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture, out _))
        .Select(file => (Number: int.Parse(file.AsSpan(0, 4), CultureInfo.InvariantCulture), File: file))
        .DefaultIfEmpty((Number: 0, File: "none"))
        .MaxBy(file => file.Number);

    private static void MakeAll(IReadOnlyList<(string Path, string Text)> files)
    {
        var (at, made) = ("", new List<string>());
        var madeFolders = new List<string>();
        try
        {
            foreach (var (path, text) in files)
            {
                at = path;
                var folder = Path.GetDirectoryName(path)!;
                if (!Directory.Exists(folder))
                {
                    Directory.CreateDirectory(folder);
                    madeFolders.Add(folder);
                }

                using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
                made.Add(path);
                file.Write(Encoding.UTF8.GetBytes(text));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            made.ForEach(File.Delete);
            madeFolders.ForEach(Directory.Delete);
            throw new IOException($"{at} cannot be made, so none of the four files was: {exception.Message} Mend that or choose another name, then run this again.", exception);
        }
    }

    private static string UpText(string engine, string revision)
    {
        var (pair, advice) = engine == "postgres"
            ? ("sqlite", "An index on a table that is there already is built concurrently, in a script of its own with the line `-- transaction: none`.")
            : ("postgres", "SQLite is 3.53: strict tables, ->> and unixepoch() are there. A script here always runs in a transaction.");
        return $"""
            -- What changes and why, in a sentence; replace this line by it. The release that still runs must work on the new schema.
            -- The pair is {pair}/{revision}.sql, the way back down/{revision}.sql. If {engine} has nothing to do, say why, and write no statement.
            -- {advice}
            -- `.ci/run` checks the Postgres scripts with squawk. Once this is applied: `catalog-migrations verify --print > sql/{engine}/fingerprint/{revision}.txt`.

            """;
    }

    private static string DownText(string engine, string revision) => $"""
        -- Takes back {engine}/{revision}.sql, in the opposite order and no more than that. Say here what data is lost on the way; replace this line by it.
        {(engine == "postgres" ? "-- An index that was built concurrently is dropped concurrently, again in a script with the line `-- transaction: none`.\n" : "")}
        """;
}
