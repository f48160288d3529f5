using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Catalog.Migrations.Verbs;

/// <summary>Prints the standard help, followed by the verb's examples.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    /// <inheritdoc />
    public override int Invoke(ParseResult parseResult)
    {
        var exit = help.Invoke(parseResult);
        if (Verb.Examples.TryGetValue(parseResult.CommandResult.Command, out var examples))
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var example in examples.Split('\n', StringSplitOptions.TrimEntries))
            {
                output.WriteLine($"  catalog-migrations {example}");
            }
        }

        return exit;
    }
}
