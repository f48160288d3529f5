using System.Data.Common;
using Catalog.Data;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Holds the service's pool against what the server, the database and the login let it have.</summary>
internal static class PostgresPoolLimits
{
    public static async Task Look(DbConnection connection, Client service, DoctorReport examined, CancellationToken ct)
    {
        // Others are all but the service itself, whose replicas the advice is about. A process that this role may not see counts as a client's.
        const string Sql = """
            -- PostgresPoolLimits.Look
            with others as (
                select a.datname, a.usename
                from pg_stat_activity a
                where a.usename is not null and coalesce(a.backend_type, 'client backend') = 'client backend' and a.pid not in (pg_backend_pid(), @Process)
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
            examined.Add("pool_behind_pooler", Severity.Note, $"The service reaches the server through a pooler: its pool of {pool} counts against the pooler's limits, not the server's.",
                "Look at the pooler: max_client_conn for the services' pools together, default_pool_size against this server.");
            return;
        }

        var found = await connection.QuerySingleAsync<ServerLimits>(new CommandDefinition(Sql, new { login, place.Process, application = service.Settings.Postgres!.ApplicationName }, commandTimeout: 10, cancellationToken: ct));
        List<(string Words, int Limit, int Others)> limits = [($"the server's max_connections less {found.Reserved} reserved", found.Server - found.Reserved, found.ServerOthers)];
        if (found.Login >= 0)
        {
            limits.Add(($"the connection limit of role {login}", found.Login, found.LoginOthers));
        }

        if (found.Database >= 0)
        {
            limits.Add(("the database's connection limit", found.Database, found.DatabaseOthers));
        }

        var (words, limit, others) = limits.MinBy(each => each.Limit - each.Others);
        var room = Math.Max(0, limit - others);
        var fits = room / pool;
        var advice = room < 1 ? "Free connections first, or raise the limit." : $"For N replicas set DATAXPIPE_PG_POOL_MAX to {room} / N or less: {room} for one{(room >= 2 ? $", {room / 2} for two" : "")}{(room >= 4 ? $", {room / 4} for four" : "")}; or raise the limit.";
        if (fits < 1)
        {
            examined.Add("pool_too_large", pool > limit ? Severity.Error : Severity.Warning,
                $"The service's pool of {pool} does not fit: {words} leaves {limit}{(others > 0 ? $", of which others hold {others} now" : "")}. Requests will fail when it fills.", advice);
        }
        else
        {
            examined.Add("pool_fits", Severity.Note,
                $"The service's pool of {pool} fits {Quantity.Of(fits, "replica", "replicas")}: {words} leaves {limit}, of which others hold {others} now.", advice);
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
