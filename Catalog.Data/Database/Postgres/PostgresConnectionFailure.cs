using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>Explains why a connection to Postgres failed, and how to fix it.</summary>
internal static class PostgresConnectionFailure
{
    private static readonly PostgresDialect Dialect = new();

    /// <inheritdoc cref="ConnectionFailure.Find"/>
    public static ConnectionFailure? Find(Exception exception, string which, DatabaseSettings settings)
    {
        // With several hosts the ports are part of the host; a socket directory has no port.
        var host = settings.Postgres!.Host is { } named && (named.Contains(':', StringComparison.Ordinal) || named[0] is '/' or '@')
            ? named : $"{settings.Postgres.Host}:{settings.Postgres.Port}";
        var database = settings.Postgres.Database ?? settings.Postgres.Username ?? "(default)";
        var user = settings.Postgres.Username is { } login ? $"user {login}" : "the default user";
        ConnectionFailure Error(string code, string message, string action) =>
            new(code, $"{which}, {user}, database {database}: {message}", action);

        ConnectionFailure Options(PostgresException failure) => Error("session_refused",
            $"{host} rejects the session: {failure.MessageText} ({failure.SqlState}).",
            $"Correct or remove the parameter 'options' of the address in {settings.ReadFrom}. If the address has none, correct the "
                + "settings that `alter role … set` or `alter database … set` made.");

        // Several errors share one SQLSTATE, and the server can translate their messages. Routine, the name of a
        // function in the server's source, tells them apart in every language.
        return exception switch
        {
            PostgresException { SqlState: "28P01" } => Error("authentication_failed", $"{host} rejected the user or the password.",
                $"Correct them in {settings.ReadFrom}; in a password, write @ : / % # as %40 %3A %2F %25 %23."),
            PostgresException { SqlState: "28000", Routine: "ClientAuthentication" } =>
                Error("not_in_pg_hba", $"{host} does not allow this user to connect to {database} from this machine, or not without TLS.",
                "Add ?sslmode=require to the address. If that does not help, ask an administrator to add a line for the user, the "
                    + "database and this machine to pg_hba.conf and to reload it."),
            PostgresException { SqlState: "28000" } =>
                Error("authentication_failed", $"{host} does not know the user, or the user cannot log in.",
                $"Correct the user in {settings.ReadFrom}, or ask an administrator to run `create role NAME login`, "
                + "or `alter role NAME login` if the role exists."),
            PostgresException { SqlState: "3D000" } => Error("database_missing", $"{host} has no database {database}.",
                $"Run `create database \"{database}\" encoding 'UTF8' template template0` as a role with the right to create "
                    + $"databases, or correct the name in {settings.ReadFrom}."),
            PostgresException failure when Dialect.Classify(failure) is Unavailability.SessionRefused => Options(failure),
            // PgBouncer rejects most options with 08P01.
            PostgresException { SqlState: "08P01" } failure when settings.Postgres.Options is not null => Options(failure),
            PostgresException { SqlState: "57014" } failure => Error("statement_timeout",
                $"{host} ended a statement: {failure.MessageText} (57014).",
                "If this happens at the first connection, the statement_timeout of the role or the database is too short to start a "
                + $"session: `alter role \"{settings.Postgres.Username}\" reset statement_timeout`, or `alter database "
                + $"\"{database}\" reset "
                + "statement_timeout`."),
            PostgresException { SqlState: "42501" } => Error("not_permitted", $"this user has no right to connect to {database}.",
                $"Ask the owner to run `grant connect on database \"{database}\" to` the user."),
            PostgresException { SqlState: "53300" } =>
                Error("too_many_connections", $"{host} has no connection left: {((PostgresException)exception).MessageText}.",
                "Lower DATAXPIPE_PG_POOL_MAX or the number of replicas, or raise max_connections; then run `catalog-migrations "
                    + "doctor` again to see which clients use the connections."),
            PostgresException { SqlState: "57P03" } =>
                Error("server_starting", $"{host} is starting, stopping or recovering.", "Run `catalog-migrations wait`."),
            PostgresException { SqlState: var state } failure when state[..2] is "08" or "53" or "57" or "58" =>
                Error("unreachable", $"{host} answered: {failure.MessageText} ({state}).",
                    "Run `catalog-migrations wait`; if the error persists, check the server's log."),
            NpgsqlException { InnerException: AuthenticationException } =>
                Error("certificate_refused",
                    $"the certificate of {host} was rejected: its authority is not trusted on this machine, it is for another name, "
                        + "or it has expired.",
                "Add sslrootcert=FILE with the provider's certificate to the address, and write the host as in the certificate; "
                    + "sslmode=require accepts any certificate."),
            NpgsqlException { InnerException: null, SqlState: null, Message: var message } when message.Contains(
                "SSL", StringComparison.Ordinal) => Error("tls_refused", $"{host} does not support TLS, but the address requires it.",
                "Enable TLS on the server (ssl = on); on a trusted network, use sslmode=prefer or sslmode=disable instead."),
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
                    return error("connection_refused", $"nothing answers on {host}.",
                        "Start the server, or correct the host and port; in a container, localhost is the container itself.");
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return error("host_unknown", $"the host name of {host} cannot be resolved.",
                        "Correct the host name, or the DNS settings of this machine.");
                case TimeoutException or SocketException { SocketErrorCode: SocketError.TimedOut }:
                    return error("timed_out", $"{host} did not answer in time.",
                        "Check whether a firewall drops the connection; connect_timeout=30 in the address allows more time.");
                case SocketException or IOException:
                    return error("unreachable", $"{host} cannot be reached.",
                        "Check that the server runs and that the network allows the connection.");
            }
        }

        return exception is NpgsqlException { SqlState: null }
            ? error("unreachable", $"the connection to {host} failed.", "Check that the server runs, and check the host and port.") : null;
    }
}
