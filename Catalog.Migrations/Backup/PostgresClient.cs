using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Catalog.Data.Database;

namespace Catalog.Migrations.Backup;

/// <summary>PostgreSQL's own programs: where they are, which version, and a run of one.</summary>
internal static partial class PostgresClient
{
    // More would be a flood; the first lines say what went wrong.
    private const int LinesKept = 20;

    /// <summary>The path of a program: from PG_BIN, else PATH, else Debian's newest version.</summary>
    /// <exception cref="BackupException">There is none.</exception>
    public static string Find(string program)
    {
        IEnumerable<string> folders = Setting.Text(Surroundings.OfProcess.Settings, "PG_BIN") is { } named ? [named] : [];
        folders = folders.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            folders = folders.Concat(Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(folder => double.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
                .Select(folder => Path.Combine(folder, "bin")));
        }

        var file = OperatingSystem.IsWindows() ? program + ".exe" : program;
        return folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists)
            ?? throw new BackupException(ExitCode.Usage, "client_missing",
                $"{program} was not found in PG_BIN, on PATH or in /usr/lib/postgresql: install PostgreSQL's client programs (Debian: apt-get install postgresql-client), or set PG_BIN to their folder.");
    }

    /// <summary>A program's version, such as 15.20, and its first number.</summary>
    public static async Task<(string Version, int Major)> Version(string program, CancellationToken ct)
    {
        string said = "";
        var result = await Run(program, ["--version"], NoVariables, null, async output =>
        {
            using var reader = new StreamReader(output);
            said = await reader.ReadToEndAsync(ct);
        }, ct);
        return result.Exit == 0 && Number().Match(said) is { Success: true } found
            ? (found.Value, int.Parse(found.Groups["major"].Value, CultureInfo.InvariantCulture))
            : throw new BackupException(ExitCode.Failed, "client_missing", $"{program} does not say its version.");
    }

    /// <summary>Runs a program to its end; it is killed when it is waited for no longer.</summary>
    /// <param name="program">Its path.</param>
    /// <param name="arguments">Without any secret: everybody on the machine can read them.</param>
    /// <param name="variables">Set in its environment; a null takes one away.</param>
    /// <param name="feed">Writes its input; null: it has none.</param>
    /// <param name="drain">Reads its output; null: nobody does.</param>
    /// <param name="ct">Kills it.</param>
    /// <param name="silence">How long it may say nothing while somebody waits for its output; null: as long as it likes.</param>
    /// <exception cref="TimeoutException">It was silent for too long and was killed.</exception>
    public static async Task<ProgramResult> Run(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> variables, Func<Stream, Task>? feed, Func<Stream, Task>? drain, CancellationToken ct,
        TimeSpan? silence = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_MESSAGES"] = "C";
        foreach (var (name, value) in variables)
        {
            start.Environment.Remove(name);
            if (value is not null)
            {
                start.Environment[name] = value;
            }
        }

        using var process = Begin(start);
        try
        {
            var errors = Errors(process.StandardError);
            await using var output = new Watched(process.StandardOutput.BaseStream, silence ?? Timeout.InfiniteTimeSpan);
            var reading = drain is null ? output.CopyToAsync(Stream.Null, ct) : drain(output);
            if (feed is not null)
            {
                var feeding = feed(process.StandardInput.BaseStream);
                // A reader that failed, as on a full disk, leaves the program waiting for it, and the feeding with the program.
                if (await Task.WhenAny(feeding, reading) == reading && reading.IsFaulted)
                {
                    process.Kill(entireProcessTree: true);
                    _ = feeding.ContinueWith(left => left.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                    await reading;
                }

                try
                {
                    await feeding;
                }
                catch (IOException) when (process.WaitForExit(5000))
                {
                    // It has ended before its input did, and says why itself.
                }
            }

            CloseInput(process);
            await reading;
            await process.WaitForExitAsync(ct);
            return new(process.ExitCode, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit(5000);
            }
        }
    }

    private static Process Begin(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new BackupException(ExitCode.Usage, "client_missing", $"{start.FileName} cannot be started: {exception.Message}", exception);
        }
    }

    private static readonly IReadOnlyDictionary<string, string?> NoVariables = new Dictionary<string, string?>();

    private static void CloseInput(Process process)
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // What was left in the buffer of a program that has ended.
        }
    }

    private static async Task<IReadOnlyList<string>> Errors(StreamReader reader)
    {
        var lines = new List<string>();
        while (await reader.ReadLineAsync() is { } line)
        {
            // Context and detail quote rows.
            if (lines.Count < LinesKept && line.Length > 0 && !Quotes().IsMatch(line))
            {
                lines.Add(line);
            }
        }

        return lines;
    }

    [GeneratedRegex(@"(?<major>\d+)(\.\d+|devel|beta\d+|rc\d+)")]
    private static partial Regex Number();

    [GeneratedRegex(@"^(CONTEXT|DETAIL|HINT|LINE \d+|\s*\^)|: (CONTEXT|DETAIL): ")]
    private static partial Regex Quotes();
}

/// <summary>How a program ended.</summary>
/// <param name="Exit">Its exit code; more than 128 when a signal ended it.</param>
/// <param name="Errors">The first lines of its error output, without those that quote rows.</param>
internal sealed record ProgramResult(int Exit, IReadOnlyList<string> Errors)
{
    /// <summary>What it complained of, in a line.</summary>
    public string Complaint => Errors.FirstOrDefault(line => line.Contains("error:", StringComparison.OrdinalIgnoreCase) || line.Contains("FATAL:", StringComparison.Ordinal))
        ?? (Errors.Count > 0 ? Errors[0] : null)
        ?? (Exit > 128 ? $"it was ended by signal {Exit - 128}" : $"it ended with {Exit} and said nothing");
}
