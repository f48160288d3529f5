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
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(10);
    private static readonly string[] Engines = ["postgres", "sqlite"];
    private static readonly string[] Folders = ["", "down"];

    public static Command Command()
    {
        var name = new Argument<string>("name")
        {
            Description = "What the revision does, in lower-case letters, digits and underscores, such as add_owner."
        };
        name.Validators.Add(result =>
        {
            if (NameError(result.GetValueOrDefault<string>()) is { } error)
            {
                result.AddError(error);
            }
        });
        var scripts = new Option<string?>("--scripts")
        {
            Description =
                "The directory that contains postgres/ and sqlite/. Default: the nearest such directory named sql, searching upward "
                    + "from the working directory.",
            HelpName = "DIRECTORY",
        };
        var command = Verb.On("new",
            "Create the four files of the next revision: an up script and a down script for each engine. Needs no database.",
            "new add_owner\nnew add_owner --scripts sql --json",
            (arguments, output, _) =>
            {
                var created = Create(arguments.GetValue(scripts) ?? FindScripts(Environment.CurrentDirectory),
                    arguments.GetRequiredValue(name));
                foreach (var file in created)
                {
                    output.Line(file);
                }

                output.Document(new { revision = Path.GetFileNameWithoutExtension(created[0]), files = created });
                return Task.FromResult(ExitCode.Ok);
            });
        command.Arguments.Add(name);
        command.Options.Add(scripts);
        return command;
    }

    /// <summary>Returns the error message for an invalid revision name; null when the name is valid.</summary>
    public static string? NameError(string? name)
    {
        if (name is { Length: > 0 } && name.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character)
            || character == '_'))
        {
            return null;
        }

        var letters = string.Concat((name ?? "").ToLowerInvariant()
            .Select(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) ? character : '_'));
        var suggested = string.Join('_', letters.Split('_', StringSplitOptions.RemoveEmptyEntries));
        return "Write the name in lower-case letters, digits and underscores: catalog-migrations new "
            + $"{(suggested.Length > 0 ? suggested : "add_owner")}";
    }

    /// <summary>
    /// Finds the nearest directory named <c>sql</c> that contains both engines' folders, searching upward from a
    /// directory.
    /// </summary>
    /// <exception cref="MigrationException">No such directory exists.</exception>
    public static string FindScripts(string from)
    {
        for (var directory = from; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (Path.GetFileName(directory) == "sql" && HasEngineFolders(directory))
            {
                return directory;
            }

            if (Path.Combine(directory, "sql") is var below && HasEngineFolders(below))
            {
                return below;
            }
        }

        throw new MigrationException(
            MigrationFault.ChainBroken,
            $"No directory sql with postgres/ and sqlite/ was found in {from} or above: change to the repository, or use "
                + "--scripts DIRECTORY.");
    }

    /// <summary>Creates the four files of the next revision, or none on an error.</summary>
    /// <param name="directory">The directory that contains postgres/ and sqlite/.</param>
    /// <param name="name">The revision's name without its number.</param>
    /// <param name="wait">Maximum wait for another process that creates a revision; null for the default.</param>
    /// <returns>The paths of the files.</returns>
    /// <exception cref="MigrationException">The directory contains no scripts, the engines' newest scripts differ, or
    /// no number is left.</exception>
    /// <exception cref="IOException">A file exists or cannot be created, or another process still holds the lock after
    /// <paramref name="wait"/>.</exception>
    public static IReadOnlyList<string> Create(string directory, string name, TimeSpan? wait = null)
    {
        if (!HasEngineFolders(directory))
        {
            throw new MigrationException(MigrationFault.ChainBroken,
                $"{directory} does not contain postgres/ and sqlite/: name the directory that does, such as sql.");
        }

        using var folderLock = Lock(directory, wait ?? DefaultWait);
        var (postgres, sqlite) = (Newest(directory, "postgres"), Newest(directory, "sqlite"));
        if (postgres.Number != sqlite.Number)
        {
            throw new MigrationException(MigrationFault.ChainBroken,
                $"The newest script of postgres is {postgres.File}, but that of sqlite is {sqlite.File}. Scripts come in pairs: add "
                    + "the missing one (with comments only if that engine needs no change), then run this again.");
        }

        if (postgres.Number == LastNumber)
        {
            throw new MigrationException(MigrationFault.ChainBroken,
                $"{LastNumber} is the highest four-digit number. Merge the scripts into a new 0001 and stamp the databases with it.");
        }

        var revision = string.Create(CultureInfo.InvariantCulture, $"{postgres.Number + 1:0000}_{name}");
        List<(string Path, string Text)> files =
        [
            .. from engine in Engines
               from folder in Folders
               select (Path.Combine(directory, engine, folder, $"{revision}.sql"), folder.Length == 0
                   ? UpText(engine, revision) : DownText(engine, revision)),
        ];
        WriteAll(files);
        return [.. files.Select(file => file.Path)];
    }

    private static bool HasEngineFolders(string directory) => Directory.Exists(Path.Combine(directory, "postgres"))
        && Directory.Exists(Path.Combine(directory, "sqlite"));

    // Without the lock, two processes could choose the same number. A process has the lock if it created the file. An
    // open file would be no lock, because another process could delete the name of the file and create the file again.
    private static FileStream Lock(string directory, TimeSpan wait)
    {
        var path = Path.Combine(directory, LockFile);
        var (started, missing) = (Stopwatch.GetTimestamp(), 0);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // If the file is missing here, usually the other process has just deleted it, and the next attempt
                // succeeds. (On Windows, access is denied during the deletion.) If the file stays missing, the folder
                // is not writable.
                missing += File.Exists(path) ? 0 : 1;
                if (missing > 20)
                {
                    throw new IOException($"{directory} cannot be written to: {exception.Message}", exception);
                }

                if (Stopwatch.GetElapsedTime(started) > wait)
                {
                    throw new IOException(
                        $"Another `catalog-migrations new` is running in {directory}, so nothing was created. Run this again; if no "
                            + $"other is running, delete {path} first.", exception);
                }
            }

            Thread.Sleep(20);
        }
    }

    private static (int Number, string File) Newest(string directory, string engine) =>
        Directory.EnumerateFiles(Path.Combine(directory, engine), "*.sql")
        .Select(file => Path.GetFileName(file))
        .Where(file => file.Length > 4 && file[4] == '_'
            && int.TryParse(file.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture, out _))
        .Select(file => (Number: int.Parse(file.AsSpan(0, 4), CultureInfo.InvariantCulture), File: file))
        .DefaultIfEmpty((Number: 0, File: "none"))
        .MaxBy(file => file.Number);

    private static void WriteAll(IReadOnlyList<(string Path, string Text)> files)
    {
        var (current, created) = ("", new List<string>());
        var createdFolders = new List<string>();
        try
        {
            foreach (var (path, text) in files)
            {
                current = path;
                var folder = Path.GetDirectoryName(path)!;
                if (!Directory.Exists(folder))
                {
                    Directory.CreateDirectory(folder);
                    createdFolders.Add(folder);
                }

                using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
                created.Add(path);
                file.Write(Encoding.UTF8.GetBytes(text));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            created.ForEach(File.Delete);
            createdFolders.ForEach(Directory.Delete);
            throw new IOException(
                $"{current} cannot be created, so no file was created: {exception.Message} Fix this or choose another name, then run "
                    + "this again.", exception);
        }
    }

    private static string UpText(string engine, string revision)
    {
        var (pair, advice) = engine == "postgres"
            ? ("sqlite", "Build an index on an existing table concurrently, in a separate script with the line `-- transaction: none`.")
            : ("postgres", "SQLite is 3.53: strict tables, ->> and unixepoch() are available. SQLite scripts always run in a transaction.");
        return $"""
            -- Replace this line with one sentence: what changes and why. The running release must still work on the new schema.
            -- The other engine's script is {pair}/{revision}.sql, the down script is down/{revision}.sql. If {engine} needs no change, state why and write no statement.
            -- {advice}
            -- `.ci/run` checks the Postgres scripts with squawk. After applying this script: `catalog-migrations verify --print > sql/{engine}/fingerprint/{revision}.txt`.

            """;
    }

    private static string DownText(string engine, string revision) => $"""
        -- Reverts {engine}/{revision}.sql in reverse order, and nothing else.
        -- Replace this line with a sentence about the data that is lost.
        {(engine == "postgres" ? "-- If the up script built an index concurrently, use `drop index concurrently` and the line `-- transaction: none`.\n" : "")}
        """;
}
