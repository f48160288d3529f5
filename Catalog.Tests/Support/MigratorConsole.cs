using System.Collections;
using System.Diagnostics;
using System.Text.Json;

namespace Catalog.Tests.Support;

/// <summary>What a run of <c>catalog-migrations</c> said, with no terminal on any side.</summary>
public sealed record MigratorConsole(int Exit, string Out, string Error)
{
    /// <summary>The document that <c>--json</c> prints.</summary>
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;

    /// <summary>Runs the built console as its own process, because its settings are its environment.</summary>
    /// <param name="settings">Its only settings; those of the tests' own process do not reach it.</param>
    /// <param name="arguments">A verb and what follows.</param>
    public static async Task<MigratorConsole> Run(Dictionary<string, string> settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Catalog.Migrations.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => (string)variable.Key)
                     .Where(name => name.StartsWith("DATA", StringComparison.Ordinal) || name.StartsWith("PG", StringComparison.Ordinal)))
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, await output, await errors);
    }
}
