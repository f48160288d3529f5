using System.CommandLine;
using System.Globalization;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Verbs;

/// <summary>The options for the time limits of a migration.</summary>
internal sealed class LimitOptions
{
    private static readonly MigrationLimits Default = new();

    private readonly Option<double> _lockTimeout = Seconds("--lock-timeout", Default.LockTimeout,
        "Postgres only: seconds that a statement waits for a table lock. Other statements on that table can stall as long.");
    private readonly Option<int> _attempts = new("--attempts")
    {
        Description = "Maximum attempts to run a script after lock time-outs.",
        DefaultValueFactory = _ => Default.Attempts,
        HelpName = "N"
    };
    private readonly Option<double> _statementTimeout = Seconds(
        "--statement-timeout", Default.StatementTimeout, "Postgres only: seconds that one statement may run.");
    private readonly Option<double> _wait = Seconds("--wait", Default.MaxWait, "Seconds to wait for another migrator to finish.");

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
        command.Options.Add(_wait);
    }

    public MigrationLimits Read(ParseResult arguments) => new()
    {
        LockTimeout = TimeSpan.FromSeconds(arguments.GetValue(_lockTimeout)),
        Attempts = arguments.GetValue(_attempts),
        StatementTimeout = TimeSpan.FromSeconds(arguments.GetValue(_statementTimeout)),
        MaxWait = TimeSpan.FromSeconds(arguments.GetValue(_wait)),
    };

    /// <summary>The option that runs an interrupted script again when its effect cannot be determined.</summary>
    public static Option<bool> Again() =>
        new("--again")
        {
            Description = "Run a script again that has the line `-- transaction: none` and was interrupted. First "
                + "check that it had no effect."
        };

    /// <summary>Creates an option in seconds, from 0.001 to 86400.</summary>
    public static Option<double> Seconds(string name, TimeSpan defaultValue, string description)
    {
        return new Option<double>(name)
        {
            Description = description,
            DefaultValueFactory = _ => defaultValue.TotalSeconds,
            HelpName = "SECONDS",
            // The default parser ignores a decimal comma: it reads 1,5 as 15.
            CustomParser = result =>
            {
                if (double.TryParse(result.Tokens[0].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
                    && seconds is >= 0.001 and <= 86_400)
                {
                    return seconds;
                }

                result.AddError($"{name} must be a number of seconds from 0.001 to 86400.");
                return 0;
            },
        };
    }
}
