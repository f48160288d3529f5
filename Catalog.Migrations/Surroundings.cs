using System.CommandLine;
using Microsoft.Extensions.Configuration;

namespace Catalog.Migrations;

/// <summary>What a run of the program reads and writes besides its arguments and the database.</summary>
public sealed class Surroundings : InvocationConfiguration
{
    /// <summary>Those of this process.</summary>
    public static Surroundings OfProcess => new()
    {
        Settings = new ConfigurationBuilder().AddEnvironmentVariables().Build(),
        Input = Console.IsInputRedirected ? null : Console.In,
        Terminal = !Console.IsOutputRedirected,
        // Long enough to roll back and to write down that it was interrupted.
        ProcessTerminationTimeout = TimeSpan.FromSeconds(10),
    };

    /// <summary>What the environment says.</summary>
    public required IConfiguration Settings { get; init; }

    /// <summary>Where a person types; null: there is nobody to ask.</summary>
    public TextReader? Input { get; init; }

    /// <summary>Whether the output is this process's terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>Those that a run was started with.</summary>
    public static Surroundings Of(ParseResult arguments) => (Surroundings)arguments.InvocationConfiguration;
}
