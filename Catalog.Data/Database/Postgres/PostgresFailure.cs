using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>Says why no connection to Postgres came about, and what to do.</summary>
internal static class PostgresFailure
{
    private static readonly PostgresDialect Refused = new();

    /// <inheritdoc cref="ConnectionFailure.Find"/>
    public static ConnectionFailure? Find(Exception exception, string which, DatabaseSettings settings)
    {
        // Several hosts carry their ports, and a socket's directory has none.
        var host = settings.Postgres!.Host is { } named && (named.Contains(':', StringComparison.Ordinal) || named[0] is '/' or '@') ? named : $"{settings.Postgres.Host}:{settings.Postgres.Port}";
        var database = settings.Postgres.Database ?? settings.Postgres.Username ?? "(default)";
        var user = settings.Postgres.Username is { } login ? $"user {login}" : "the default user";
        ConnectionFailure Error(string code, string message, string action) => new(code, $"{which}, {user}, database {database}: {message}", action);

        ConnectionFailure Options(PostgresException failure) => Error("session_refused",
            $"{host} refuses the session: {failure.MessageText} ({failure.SqlState}).",
            $"Correct options in the address ({settings.ReadFrom}), or leave it out.");

        // The server's routine tells apart what shares a state, in whatever language it speaks.
        return exception switch
        {
            PostgresException { SqlState: "28P01" } => Error("authentication_failed", $"{host} refused the user or the password.",
                $"Correct them in {settings.ReadFrom}; characters such as @ : / % # in a password are written %40 %3A %2F %25 %23."),
            PostgresException { SqlState: "28000", Routine: "ClientAuthentication" } => Error("not_in_pg_hba", $"{host} takes no connection of this user to {database} from here, or none without TLS.",
                "Add ?sslmode=require to the address; else let an administrator add a line for user, database and this machine to pg_hba.conf and reload."),
            PostgresException { SqlState: "28000" } => Error("authentication_failed", $"{host} has no such user, or one that may not log in.",
                $"Correct the user in {settings.ReadFrom}, or let an administrator run `create role NAME login`."),
            PostgresException { SqlState: "3D000" } => Error("database_missing", $"{host} has no database {database}.",
                $"Run `create database \"{database}\" encoding 'UTF8' template template0` as a role that may, or correct the name in {settings.ReadFrom}."),
            PostgresException failure when Refused.WhyUnavailable(failure) is Unavailability.SessionRefused => Options(failure),
            // PgBouncer takes few options.
            PostgresException { SqlState: "08P01" } failure when settings.Postgres.Options is not null => Options(failure),
            PostgresException { SqlState: "57014" } failure => Error("statement_timeout",
                $"{host} ended a statement: {failure.MessageText} (57014).",
                "Where this is so from the first connection on, the statement_timeout of the role or the database is too short for a session to "
                + $"begin: `alter role \"{settings.Postgres.Username}\" reset statement_timeout`, or `alter database \"{database}\" reset "
                + "statement_timeout`."),
            PostgresException { SqlState: "42501" } => Error("not_permitted", $"this user may not connect to {database}.",
                $"Let the owner run `grant connect on database \"{database}\" to` the user."),
            PostgresException { SqlState: "53300" } => Error("too_many_connections", $"{host} has no connection left: {((PostgresException)exception).MessageText}.",
                "Lower DATAXPIPE_PG_POOL_MAX or the number of replicas, or raise max_connections; then run `catalog-migrations doctor` again to see who holds them."),
            PostgresException { SqlState: "57P03" } => Error("server_starting", $"{host} is starting, stopping or recovering.", "Run `catalog-migrations wait`."),
            PostgresException { SqlState: var state } failure when state[..2] is "08" or "53" or "57" or "58" => Error("unreachable", $"{host} answered: {failure.MessageText} ({state}).", "Run `catalog-migrations wait`; if it stays, look into the server's log."),
            NpgsqlException { InnerException: AuthenticationException } => Error("certificate_refused", $"the certificate that {host} shows was not accepted: it is signed by an authority that is not trusted here, is for another name, or has expired.",
                "Add sslrootcert=FILE with the provider's certificate to the address, and spell the host as the certificate does; sslmode=require takes any certificate."),
            NpgsqlException { InnerException: null, SqlState: null, Message: var message } when message.Contains("SSL", StringComparison.Ordinal) => Error("tls_refused", $"{host} takes no TLS, and the address demands it.",
                "Turn on TLS at the server (ssl = on); on a network that you trust, write sslmode=prefer or sslmode=disable instead."),
            _ => Network(exception, Error, host),
        };
    }

    private static ConnectionFailure? Network(Exception exception, Func<string, string, string, ConnectionFailure> error, string host)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return error("connection_refused", $"nothing answers on {host}.", "Start the server, or correct host and port; in a container, localhost is the container itself.");
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return error("host_unknown", $"no address is known for {host}.", "Correct the host's name, or the name service of this machine.");
                case TimeoutException or SocketException { SocketErrorCode: SocketError.TimedOut }:
                    return error("timed_out", $"{host} did not answer in time.",
                        "Look whether a firewall drops the connection; connect_timeout=30 in the address waits longer.");
                case SocketException or IOException:
                    return error("unreachable", $"{host} cannot be reached.", "Check that the server runs and that the network lets this machine reach it.");
            }
        }

        return exception is NpgsqlException { SqlState: null } ? error("unreachable", $"no connection to {host} came about.", "Check that the server runs, and host and port.") : null;
    }
}
