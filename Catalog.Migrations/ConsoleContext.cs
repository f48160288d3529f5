using System.CommandLine;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations;

/// <summary>Settings, input and output of one run of the program.</summary>
public sealed class ConsoleContext : InvocationConfiguration
{
    /// <summary>The context of this process: environment variables and the console.</summary>
    public static ConsoleContext OfProcess => new()
    {
        Settings = new ConfigurationBuilder().AddEnvironmentVariables().Build(),
        Input = Console.IsInputRedirected ? null : Console.In,
        Terminal = !Console.IsOutputRedirected,
        // This is long enough to roll back and to record the interruption in the journal.
        ProcessTerminationTimeout = TimeSpan.FromSeconds(10),
    };

    /// <summary>The settings, from environment variables.</summary>
    public required IConfiguration Settings { get; init; }

    /// <summary>Reads the answers to confirmation questions; null when no person can answer.</summary>
    public TextReader? Input { get; init; }

    /// <summary>True when the output is this process's terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>Returns the context that the run was started with.</summary>
    public static ConsoleContext Of(ParseResult arguments) => (ConsoleContext)arguments.InvocationConfiguration;
}
