using System.CommandLine;
using System.Globalization;
using Catalog.Data;
using Catalog.Data.Migrations;
using Catalog.Migrations.Distribution;

namespace Catalog.Migrations.Verbs;

internal static class DistributeVerb
{
    public static Command Command()
    {
        var apply = new Argument<string?>("apply")
        {
            Description = "Distribute the tables. Either this word or --dry-run is required.",
            Arity = ArgumentArity.ZeroOrOne
        };
        apply.AcceptOnlyFromAmong("apply");
        var dryRun = new Option<bool>("--dry-run") { Description = "Print what would be distributed; change nothing." };
        var shards = new Option<int?>("--shards")
        {
            Description = "The number of parts of each table, from 1 to 1024. Only when no table is distributed yet. Default: the server's "
                + "citus.shard_count.",
            HelpName = "NUMBER"
        };
        shards.Validators.Add(result =>
        {
            if (!(int.TryParse(result.Tokens.SingleOrDefault()?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number is >= 1 and <= 1024))
            {
                result.AddError("--shards must be a whole number from 1 to 1024.");
            }
        });
        var command = Verb.On("distribute",
            "On the coordinator of a Citus cluster, distribute the tables over its servers by organization. Tables that are already "
                + "distributed are skipped, so run it again after an upgrade that adds tables. Stop the service meanwhile. Exits 0 when "
                + "done, 3 when scripts are pending, 4 when a table is distributed differently, 5 when a table stayed locked.",
            "distribute --dry-run\ndistribute apply\ndistribute apply --shards 64",
            (database, arguments, output, ct) => Run(database, arguments.GetValue(shards), arguments.GetValue(dryRun), output, ct));
        command.Arguments.Add(apply);
        command.Options.Add(dryRun);
        command.Options.Add(shards);
        command.Validators.Add(result =>
        {
            if (result.GetValue(dryRun) == (result.GetValue(apply) is not null))
            {
                result.AddError("Use either `distribute --dry-run` or `distribute apply`.");
            }
        });
        return command;
    }

    private static async Task<int> Run(MigrationDatabase database, int? shards, bool dryRun, Output output, CancellationToken ct)
    {
        var migrator = new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System)
        {
            Progress = UpgradeVerb.Steps(output)
        };
        var distribution = new CitusDistribution(database, migrator)
        {
            Progress = (table, time) => (output.Json ? (Action<string>)output.Progress : output.Line)(
                string.Create(CultureInfo.InvariantCulture, $"distributed {table}, {time.TotalSeconds:0.000} s"))
        };
        // The tables are checked before pending scripts, so that the user is not told to upgrade a database that cannot
        // be distributed.
        var tables = await distribution.Plan(ct);
        var status = await migrator.ReadStatus(ct);
        if (status.Pending.Count > 0)
        {
            output.Error("pending",
                $"The database is at {status.Current}, and {Quantity.Of(status.Pending.Count, "script is", "scripts are")} pending: run "
                    + "`catalog-migrations upgrade` first. Nothing was distributed.");
            return ExitCode.Pending;
        }

        if (shards is not null && tables.FirstOrDefault(table => !table.IsLocal) is { } distributed)
        {
            output.Error("usage",
                $"--shards is only for a database without distributed tables, and {distributed.Name} already has "
                    + $"{Quantity.Of(distributed.Shards, "shard", "shards")}: leave it out.");
            return ExitCode.Usage;
        }

        tables = dryRun ? tables : await distribution.Apply(shards, ct);
        List<string> local = [.. tables.Where(table => table.IsLocal).Select(table => table.Name)];
        output.Line((local, dryRun) switch
        {
            ([], _) => $"nothing to do: {Quantity.Of(tables.Count, "table is", "tables are")} distributed",
            (_, true) => $"{Quantity.Of(local.Count, "table", "tables")} would be distributed by organization; nothing was changed: "
                + string.Join(", ", local),
            _ => $"{Quantity.Of(local.Count, "table", "tables")} distributed, {tables.Count - local.Count} before. Restart the service.",
        });
        output.Document(new { dry_run = dryRun, distributed = local, before = tables.Count - local.Count });
        return ExitCode.Ok;
    }
}
