using System.CommandLine;
using System.Globalization;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

/// <summary>The options that say how patient a migration is.</summary>
internal sealed class LimitOptions
{
    private static readonly MigrationLimits Default = new();

    private readonly Option<double> _lockTimeout = Seconds("--lock-timeout", Default.LockTimeout, "Seconds that a statement waits for a lock on a table, and that traffic behind it can stall; on Postgres.");
    private readonly Option<int> _attempts = new("--attempts") { Description = "How often a script is tried that waited in vain.", DefaultValueFactory = _ => Default.Attempts, HelpName = "N" };
    private readonly Option<double> _statementTimeout = Seconds("--statement-timeout", Default.StatementTimeout, "Seconds that one statement may run; on Postgres.");
    private readonly Option<double> _patience = Seconds("--wait", Default.MaxWait, "Seconds to wait for another migrator to finish.");

    public LimitOptions() => _attempts.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, out var attempts) && attempts is >= 1 and <= 1000))
        {
            result.AddError("--attempts must be a whole number from 1 to 1000.");
        }
    });

    public void AddTo(Command command)
    {
        command.Options.Add(_lockTimeout);
        command.Options.Add(_attempts);
        command.Options.Add(_statementTimeout);
        command.Options.Add(_patience);
    }

    public MigrationLimits Read(ParseResult arguments) => new()
    {
        LockTimeout = TimeSpan.FromSeconds(arguments.GetValue(_lockTimeout)),
        Attempts = arguments.GetValue(_attempts),
        StatementTimeout = TimeSpan.FromSeconds(arguments.GetValue(_statementTimeout)),
        MaxWait = TimeSpan.FromSeconds(arguments.GetValue(_patience)),
    };

    /// <summary>The option that settles a script of which nothing can be told.</summary>
    public static Option<bool> Again() => new("--again") { Description = "Run an interrupted script without a transaction again, after you looked that it did not take effect." };

    /// <summary>An option of seconds: a thousandth to a day.</summary>
    public static Option<double> Seconds(string name, TimeSpan byDefault, string description)
    {
        return new Option<double>(name)
        {
            Description = description,
            DefaultValueFactory = _ => byDefault.TotalSeconds,
            HelpName = "SECONDS",
            // The library's own parser takes a decimal comma for one between thousands.
            CustomParser = result =>
            {
                if (double.TryParse(result.Tokens[0].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0.001 and <= 86_400)
                {
                    return seconds;
                }

                result.AddError($"{name} must be a number of seconds from 0.001 to 86400.");
                return 0;
            },
        };
    }
}
