using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Catalog.Data.Settings;

namespace Catalog.Migrations.Backup;

/// <summary>Finds and runs PostgreSQL's client programs.</summary>
internal static partial class PostgresPrograms
{
    // Only the first lines are kept, because they contain the cause.
    private const int MaxErrorLines = 20;

    /// <summary>Finds a program in PG_BIN, else on PATH, else in Debian's folder of the newest version.</summary>
    /// <exception cref="BackupException">The program was not found.</exception>
    public static string Find(string program)
    {
        IEnumerable<string> folders = Setting.Text(ConsoleContext.OfProcess.Settings, "PG_BIN") is { } configured ? [configured] : [];
        folders = folders.Concat(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            folders = folders.Concat(Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(folder => double.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version)
                    ? version : 0)
                .Select(folder => Path.Combine(folder, "bin")));
        }

        var file = OperatingSystem.IsWindows() ? program + ".exe" : program;
        return folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists)
            ?? throw new BackupException(ExitCode.Usage, "client_missing",
                $"{program} was not found in PG_BIN, on PATH or in /usr/lib/postgresql: install PostgreSQL's client programs "
                    + "(Debian: apt-get install postgresql-client), or set PG_BIN to their folder.");
    }

    /// <summary>Reads a program's version, such as 15.20, and its major version.</summary>
    public static async Task<(string Version, int Major)> Version(string program, CancellationToken ct)
    {
        string text = "";
        var result = await Run(program, ["--version"], NoVariables, null, async output =>
        {
            using var reader = new StreamReader(output);
            text = await reader.ReadToEndAsync(ct);
        }, ct);
        return result.Exit == 0 && Number().Match(text) is { Success: true } found
            ? (found.Value, int.Parse(found.Groups["major"].Value, CultureInfo.InvariantCulture))
            : throw new BackupException(ExitCode.Failed, "client_missing",
                $"{program} --version failed or printed no version. Install PostgreSQL's client programs again, or set PG_BIN to their "
                    + "folder.");
    }

    /// <summary>Runs a program until it ends. On cancellation or an error it is killed.</summary>
    /// <param name="program">Path of the program.</param>
    /// <param name="arguments">Arguments without secrets: every user of the machine can read them.</param>
    /// <param name="variables">Environment variables to set; a null value removes the variable.</param>
    /// <param name="writeInput">Writes the program's input; null for no input.</param>
    /// <param name="readOutput">Reads the program's output; null to discard it.</param>
    /// <param name="ct">Cancels the operation and kills the program.</param>
    /// <param name="idleTimeout">Maximum time without output; null for no limit.</param>
    /// <exception cref="TimeoutException">The program wrote nothing for too long and was killed.</exception>
    public static async Task<ProgramResult> Run(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> variables, Func<Stream, Task>? writeInput,
        Func<Stream, Task>? readOutput, CancellationToken ct,
        TimeSpan? idleTimeout = null)
    {
        using var process = Start(StartInfo(program, arguments, variables));
        try
        {
            var errors = ReadErrors(process.StandardError);
            await using var output = new IdleTimeoutStream(process.StandardOutput.BaseStream, idleTimeout ?? Timeout.InfiniteTimeSpan);
            var reading = readOutput is null ? output.CopyToAsync(Stream.Null, ct) : readOutput(output);
            if (writeInput is not null)
            {
                var writing = writeInput(process.StandardInput.BaseStream);
                // If the reader fails, for example on a full disk, nothing reads the program's output. Then the program
                // blocks on its output, and the writer blocks on the program's input.
                if (await Task.WhenAny(writing, reading) == reading && reading.IsFaulted)
                {
                    process.Kill(entireProcessTree: true);
                    _ = writing.ContinueWith(left => left.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted,
                        TaskScheduler.Default);
                    await reading;
                }

                try
                {
                    await writing;
                }
                catch (IOException) when (process.WaitForExit(5000))
                {
                    // The program ended before it read all input; its exit code and error output contain the reason.
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

    private static ProcessStartInfo StartInfo(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> variables)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        start.Environment["LC_MESSAGES"] = "C";
        foreach (var (name, value) in variables)
        {
            start.Environment.Remove(name);
            if (value is not null)
            {
                start.Environment[name] = value;
            }
        }

        return start;
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new BackupException(ExitCode.Usage, "client_missing",
                $"{start.FileName} cannot be started: {exception.Message.TrimEnd('.')}. Install PostgreSQL's client programs again, or set "
                    + "PG_BIN to their folder.", exception);
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
            // The program has ended, so the buffered input cannot be written.
        }
    }

    private static async Task<IReadOnlyList<string>> ReadErrors(StreamReader reader)
    {
        var lines = new List<string>();
        while (await reader.ReadLineAsync() is { } line)
        {
            // Lines such as CONTEXT and DETAIL can contain data of rows.
            if (lines.Count < MaxErrorLines && line.Length > 0 && !QuotesRow().IsMatch(line))
            {
                lines.Add(line);
            }
        }

        return lines;
    }

    [GeneratedRegex(@"(?<major>\d+)(\.\d+|devel|beta\d+|rc\d+)")]
    private static partial Regex Number();

    [GeneratedRegex(@"^(CONTEXT|DETAIL|HINT|LINE \d+|\s*\^)|: (CONTEXT|DETAIL): ")]
    private static partial Regex QuotesRow();
}

/// <summary>The result of a program.</summary>
/// <param name="Exit">Exit code; more than 128 if a signal ended the program.</param>
/// <param name="Errors">The first lines of the error output, without lines that can contain data of rows.</param>
internal sealed record ProgramResult(int Exit, IReadOnlyList<string> Errors)
{
    /// <summary>The error in one line.</summary>
    public string ErrorMessage => Errors.FirstOrDefault(line => line.Contains("error:", StringComparison.OrdinalIgnoreCase)
        || line.Contains("FATAL:", StringComparison.Ordinal))
        ?? (Errors.Count > 0 ? Errors[0] : null)
        ?? (Exit > 128 ? $"it was ended by signal {Exit - 128}" : $"it ended with exit code {Exit} and no error message");
}
