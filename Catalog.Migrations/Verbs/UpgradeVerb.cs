using System.CommandLine;
using System.Globalization;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Catalog.Migrations.Distribution;

namespace Catalog.Migrations.Verbs;

internal static class UpgradeVerb
{
    public static Command Command()
    {
        var target = new Argument<string>("target")
        {
            Description = "head, a revision (0002, 0002_saas), or +N to apply the next N scripts.",
            DefaultValueFactory = _ => Chain.Head
        };
        var again = LimitOptions.Again();
        var limits = new LimitOptions();
        var command = Verb.On("upgrade",
            "Apply pending scripts, each in its own transaction together with its journal row. Safe to run concurrently.",
            "upgrade\nupgrade 0001_initial\nupgrade +1 --lock-timeout 5",
            async (database, arguments, output, ct) =>
            {
                var migrator = new Migrator(database, Verb.Chain(arguments, database.Dialect.Folder), TimeProvider.System,
                    limits.Read(arguments))
                {
                    Progress = Steps(output),
                    AppRole = DatabaseSettings.ReadAppRole(Verb.Settings(arguments)),
                };
                var steps = await migrator.Upgrade(arguments.GetValue(target)!, arguments.GetValue(again), ct);
                var exit = await Report(migrator, steps, output, ct);
                if (await CitusDistribution.Undistributed(database, ct) is { Count: > 0 } local)
                {
                    output.Progress($"catalog-migrations: {Quantity.Of(local.Count, "table is", "tables are")} not distributed by Citus: "
                        + $"{Quantity.Few(local)}. Run `catalog-migrations distribute apply`.");
                }

                return exit;
            });
        command.Arguments.Add(target);
        command.Options.Add(again);
        limits.AddTo(command);
        command.Options.Add(Verb.Scripts);
        return command;
    }

    /// <summary>Returns a callback that prints one line per migration step.</summary>
    public static Action<MigrationStep> Steps(Output output) => step =>
    {
        if (step.Seconds is { } seconds)
        {
            var line = string.Create(CultureInfo.InvariantCulture,
                $"{step.Description} {step.Revision}, {step.Rows} {(step.Rows == 1 ? "row" : "rows")}, {seconds:0.000} s");
            // In JSON mode standard output is reserved for the document, so the steps go to standard error.
            (output.Json ? (Action<string>)output.Progress : output.Line)(line);
        }
        else
        {
            output.Progress($"{step.Description} {step.Revision}".TrimEnd());
        }
    };

    /// <summary>Prints the revision of the database after the steps.</summary>
    public static async Task<int> Report(Migrator migrator, IReadOnlyList<MigrationStep> steps, Output output, CancellationToken ct)
    {
        var status = await migrator.ReadStatus(ct);
        output.Line($"{(status.Pending.Count == 0 ? "at head: " : "at ")}{status.Current}{(steps.Count == 0 ? ", nothing to do" : "")}");
        output.Document(new
        {
            current = status.Current,
            at_head = status.Pending.Count == 0,
            steps = steps.Select(step =>
                new { revision = step.Revision, done = step.Description, rows = step.Rows, seconds = step.Seconds }),
        });
        return ExitCode.Ok;
    }
}
