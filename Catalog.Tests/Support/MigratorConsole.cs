using System.Diagnostics;
using System.Text.Json;

namespace Catalog.Tests.Support;

/// <summary>What a run of the console said.</summary>
public sealed record ConsoleResult(int Exit, string Output, string Errors)
{
    /// <summary>The one document that <c>--json</c> prints.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public override string ToString() => $"exit {Exit}\n{Output}\n{Errors}";
}

/// <summary>Runs <c>catalog-migrations</c> as operators do: a process with an environment of its own.</summary>
public static class MigratorConsole
{
    public static async Task<ConsoleResult> Run(string address, params string[] arguments)
    {
        using var process = Start(address, arguments);
        return await End(process);
    }

    /// <summary>Runs it with these settings alone.</summary>
    public static async Task<ConsoleResult> Run(Dictionary<string, string> settings, params string[] arguments)
    {
        using var process = Start(null, arguments, Environment.CurrentDirectory, [.. settings.Select(setting => (setting.Key, setting.Value))]);
        return await End(process);
    }

    /// <summary>Runs it without a database, in a directory.</summary>
    public static async Task<ConsoleResult> RunIn(string directory, params string[] arguments)
    {
        using var process = Start(null, arguments, directory);
        return await End(process);
    }

    /// <summary>Starts it with its output redirected and nothing to read.</summary>
    public static Process Start(string address, string[] arguments, params (string Name, string Value)[] environment) =>
        Start(address, arguments, Environment.CurrentDirectory, environment);

    private static Process Start(string? address, string[] arguments, string directory, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Catalog.Migrations.dll"), .. arguments])
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("DATA", StringComparison.Ordinal) || name.StartsWith("PG", StringComparison.Ordinal) || name.EndsWith("_ENVIRONMENT", StringComparison.Ordinal)).ToList())
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
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(limit.Token);
        return new(process.ExitCode, await output, await errors);
    }
}
