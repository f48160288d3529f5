using System.Diagnostics;
using System.Text.Json;
using Catalog.Migrations;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Support;

/// <summary>The result of a console run.</summary>
public sealed record ConsoleResult(int Exit, string Output, string Errors)
{
    /// <summary>The document that <c>--json</c> prints.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public override string ToString() => $"exit {Exit}\n{Output}\n{Errors}";
}

/// <summary>
/// Runs <c>catalog-migrations</c>. Most tests run it in this process with given settings. Tests of signals, kills, the
/// process environment (PATH, PG_BIN) or several consoles at once start a process.
/// </summary>
public static class MigratorConsole
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static Task<ConsoleResult> Run(string address, params string[] arguments) => Run(address, [], arguments);

    /// <summary>Runs it with this address and these settings.</summary>
    public static Task<ConsoleResult> Run(string address, (string Name, string Value)[] environment, params string[] arguments) =>
        Run([("DATAXPIPE_DB", address), .. environment], arguments);

    /// <summary>Runs it with these settings only; there may be none.</summary>
    public static async Task<ConsoleResult> Run((string Name, string Value)[] settings, params string[] arguments)
    {
        if (settings.FirstOrDefault(setting => setting.Name is "PATH" or "PG_BIN").Name is { } processSetting)
        {
            throw new ArgumentException($"{processSetting} is read from the process environment: use RunProcess.", nameof(settings));
        }

        // The last value of a setting counts, as in an environment.
        var environment = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        // A verb may write from several threads; the writers below are synchronized.
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var around = new ConsoleContext
        {
            Settings = new ConfigurationBuilder().AddInMemoryCollection(environment).Build(),
            Output = TextWriter.Synchronized(output),
            Error = TextWriter.Synchronized(errors),
            ProcessTerminationTimeout = null,
        };
        var exit = await Task.Run(() => CommandLine.Run(arguments, around)).WaitAsync(Limit);
        return Searched(new(exit, output.ToString(), errors.ToString()));
    }

    /// <summary>Starts a process with redirected output and empty input.</summary>
    public static Process Start(string address, string[] arguments, params (string Name, string Value)[] environment) =>
        Start(address, arguments, Environment.CurrentDirectory, environment);

    /// <summary>Runs a process in a directory without a database address, and waits for its end.</summary>
    public static async Task<ConsoleResult> RunIn(string directory, params string[] arguments)
    {
        using var process = Start(null, arguments, directory);
        return await End(process);
    }

    /// <summary>Runs a process and waits for its end.</summary>
    public static async Task<ConsoleResult> RunProcess(string address, (string Name, string Value)[] environment, params string[] arguments)
    {
        using var process = Start(address, arguments, environment);
        return await End(process);
    }

    private static Process Start(string? address, string[] arguments, string directory, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Catalog.Migrations.dll"), .. arguments])
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("DATA", StringComparison.Ordinal)
            || name.StartsWith("PG", StringComparison.Ordinal) || name.EndsWith("_ENVIRONMENT", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        if (address is not null)
        {
            start.Environment["DATAXPIPE_DB"] = address;
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    public static async Task<ConsoleResult> End(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Limit);
        await process.WaitForExitAsync(limit.Token);
        return Searched(new(process.ExitCode, await output, await errors));
    }

    private static ConsoleResult Searched(ConsoleResult result)
    {
        SecretSearch.Suite.Require("The output of the console", result.ToString());
        return result;
    }
}
