using System.Data.Common;
using Catalog.Data;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Compares the service's connection pool with the limits of the server, the database and the login.</summary>
internal static class PostgresPoolLimits
{
    public static async Task Check(DbConnection connection, Client service, DoctorReport report, CancellationToken ct)
    {
        // "others" excludes the service's own connections, because the advice is about its replicas. A process whose
        // type is hidden from this role counts as a client.
        const string Sql = """
            -- PostgresPoolLimits.Check
            with others as (
                select a.datname, a.usename
                from pg_stat_activity a
                where a.usename is not null and coalesce(a.backend_type, 'client backend') = 'client backend'
                    and a.pid not in (pg_backend_pid(), @Process)
                  and not (a.usename = @login and a.datname = current_database() and a.application_name = @application)
            )
            select current_setting('max_connections')::int as server,
                   case when r.rolsuper then 0 else current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) end as reserved,
                   case when r.rolsuper then -1 else r.rolconnlimit end as login,
                   case when r.rolsuper then -1 else d.datconnlimit end as database,
                   (select count(*)::int from others) as server_others,
                   (select count(*)::int from others where usename = r.rolname) as login_others,
                   (select count(*)::int from others where datname = d.datname) as database_others
            from pg_roles r, pg_database d
            where r.rolname = @login and d.datname = current_database()
            """;

        var pool = service.Settings.Postgres?.MaxPoolSize ?? 0;
        if (pool == 0 || service.Place is not { Login: { } login } place)
        {
            return;
        }

        if (place.Pooled)
        {
            report.Add("pool_behind_pooler", Severity.Note,
                $"The service reaches the server through a pooler: its pool of {pool} is subject to the pooler's limits, not the server's.",
                "Check the pooler's settings: max_client_conn limits the pools of all services together, default_pool_size the "
                    + "connections to this server.");
            return;
        }

        var found = await connection.QuerySingleAsync<ServerLimits>(
            new CommandDefinition(Sql, new { login, place.Process, application = service.Settings.Postgres!.ApplicationName },
                commandTimeout: 10, cancellationToken: ct));
        Report(pool, Tightest(found, login), report);
    }

    private static (string Name, int Limit, int Others) Tightest(ServerLimits found, string login)
    {
        List<(string Name, int Limit, int Others)> limits = [($"the server's max_connections minus {found.Reserved} reserved"
, found.Server - found.Reserved, found.ServerOthers)];
        if (found.Login >= 0)
        {
            limits.Add(($"the connection limit of role {login}", found.Login, found.LoginOthers));
        }

        if (found.Database >= 0)
        {
            limits.Add(("the database's connection limit", found.Database, found.DatabaseOthers));
        }

        return limits.MinBy(limit => limit.Limit - limit.Others);
    }

    private static void Report(int pool, (string Name, int Limit, int Others) tightest, DoctorReport report)
    {
        var (name, limit, others) = tightest;
        var free = Math.Max(0, limit - others);
        var replicas = free / pool;
        var advice = free < 1
            ? "Free connections first, or raise the limit."
            : $"Set DATAXPIPE_PG_POOL_MAX to at most {free} divided by the number of replicas: {free} for "
                + $"one{(free >= 2 ? $", {free / 2} for two" : "")}{(free >= 4 ? $", {free / 4} for four" : "")}; or raise the limit.";
        if (replicas < 1)
        {
            report.Add("pool_too_large", pool > limit ? Severity.Error : Severity.Warning,
                $"The service's pool of {pool} is too large: {name} allows "
                    + $"{limit}{(others > 0 ? $", of which other clients use {others} now" : "")}. Requests fail when the limit is "
                    + "reached.", advice);
        }
        else
        {
            report.Add("pool_fits", Severity.Note,
                $"The service's pool of {pool} fits {Quantity.Of(replicas, "replica", "replicas")}: {name} allows {limit}, of which "
                    + $"other clients use {others} now.", advice);
        }
    }

    private sealed record ServerLimits
    {
        public required int Server { get; init; }

        public required int Reserved { get; init; }

        public required int Login { get; init; }

        public required int Database { get; init; }

        public required int ServerOthers { get; init; }

        public required int LoginOthers { get; init; }

        public required int DatabaseOthers { get; init; }
    }
}
