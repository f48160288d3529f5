using System.Data.Common;
using Catalog.Data;
using Catalog.Data.Database.Postgres;
using Catalog.Migrations.Distribution;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>
/// Checks a database with Citus: where the tables are, whether the workers answer, and whether the service's role is
/// allowed to log in on them.
/// </summary>
internal static class PostgresCitusState
{
    public static async Task Check(DbConnection connection, Client service, DoctorReport report, CancellationToken ct)
    {
        if (await CitusTable.ReadAll(connection, ct) is not { } tables)
        {
            return;
        }

        var version = await connection.ExecuteScalarAsync<string>(new CommandDefinition(PostgresCitus.Version, cancellationToken: ct));
        await CheckWorkers(connection, service.Role, version!, tables, report, ct);
        List<string> local = [.. tables.Where(table => table.IsLocal).Select(table => table.Name)];
        if (local.Count > 0 && local.Count < tables.Count)
        {
            report.Add("citus_not_distributed", Severity.Warning,
                $"{Quantity.Of(local.Count, "table is", "tables are")} not distributed, unlike the others: {Quantity.Few(local)}. "
                    + "Statements that use both are slow or fail.",
                "Run `catalog-migrations distribute apply`.");
        }

        if (CitusTable.Misplaced(tables) is { Count: > 0 } misplaced)
        {
            report.Add("citus_misplaced", Severity.Error,
                $"{Quantity.Of(misplaced.Count, "table is", "tables are")} not distributed by {PostgresCitus.Column} together with "
                    + $"{PostgresCitus.FirstTable}: {Quantity.Few(misplaced.ConvertAll(table => table.Name))}.",
                "Run `select undistribute_table('NAME')` for each, then `catalog-migrations distribute apply`.");
        }
    }

    private static async Task CheckWorkers(DbConnection connection, string role, string version, List<CitusTable> tables,
        DoctorReport report, CancellationToken ct)
    {
        // Without this limit, a worker that does not answer would use up the time limit of the check.
        const string Limit = """
            -- PostgresCitusState.Limit
            select set_config('citus.node_connection_timeout', '2000', true)
            """;
        const string Disabled = """
            -- PostgresCitusState.Disabled
            select nodename || ':' || nodeport from pg_dist_node where noderole = 'primary' and not isactive order by 1
            """;
        const string Workers = """
            -- PostgresCitusState.Workers
            select nodename || ':' || nodeport as node, success, result from run_command_on_workers(@command) order by 1
            """;

        await connection.ExecuteAsync(new CommandDefinition(Limit, cancellationToken: ct));
        // The name of the role consists of letters, digits and underscores.
        var command = $"select coalesce((select rolcanlogin from pg_roles where rolname = '{role}'), false)";
        var workers = (
            await connection.QueryAsync<Worker>(new CommandDefinition(Workers, new { command }, cancellationToken: ct))).AsList();
        var disabled = (await connection.QueryAsync<string>(new CommandDefinition(Disabled, cancellationToken: ct))).AsList();
        var distributed = tables.Count(table => !table.IsLocal);
        report.Add("citus", Severity.Note,
            $"Citus {version}, {Quantity.Of(workers.Count, "worker", "workers")}: {(distributed == 0 ? "no table is distributed"
                : $"{distributed} of {tables.Count} tables are distributed, {tables[0].Shards} shards each")}.",
            distributed == 0 ? "To distribute the tables, run `catalog-migrations distribute apply`." : null);
        List<string> unreachable = [.. disabled.Concat(workers.Where(worker => !worker.Success).Select(worker => worker.Node)).Distinct()];
        if (unreachable.Count > 0)
        {
            report.Add("citus_worker_unreachable", Severity.Error,
                $"{Quantity.Of(unreachable.Count, "worker", "workers")} did not answer the coordinator or is disabled: "
                    + $"{Quantity.Few(unreachable)}. Requests of the organizations there fail.",
                "Start the server, check its pg_hba.conf, or run `select citus_activate_node('HOST', PORT)`.");
        }

        var here = (await PostgresRole.Find(connection, role, null, ct)) is { Exists: false } or { CanLogIn: true };
        List<string> withoutLogin = [.. workers.Where(worker => worker is { Success: true, Result: "f" }).Select(worker => worker.Node)];
        if (distributed > 0 && (!here || withoutLogin.Count > 0))
        {
            report.Add("app_role_cannot_log_in", Severity.Error,
                $"The role {role} cannot log in on {(here ? Quantity.Few(withoutLogin) : "the coordinator")}. Citus opens its connections "
                    + "to the workers as this role, so the service's statements fail.",
                "Run `catalog-migrations grant`, and let pg_hba.conf of the workers accept the role from the coordinator.");
        }
    }

    private sealed record Worker
    {
        public required string Node { get; init; }

        public required bool Success { get; init; }

        public string? Result { get; init; }
    }
}
