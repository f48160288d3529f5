using Catalog.Data.Database;
using Npgsql;

namespace Catalog.Tests.Support;

/// <summary>
/// The Postgres server that the tests share, chosen on first use: the server at POSTGRES_DSN, else a container if an
/// engine answers, else a cluster from the Postgres programs of this machine.
/// </summary>
public sealed class PostgresServer
{
    private static readonly Lazy<PostgresServer> Lazy = new(Choose);

    private PostgresServer(string uri) => Uri = uri;

    public static PostgresServer Shared => Lazy.Value;

    /// <summary>The reason why there is no server. Null: there is one.</summary>
    public string? Unavailable { get; private init; }

    /// <summary>The server's address with a user that may create databases.</summary>
    public string Uri { get; }

    /// <summary>The user of that address.</summary>
    public string Superuser => PostgresUri.Parse("POSTGRES_DSN", Uri).Username!;

    private static PostgresServer Choose()
    {
        if (Environment.GetEnvironmentVariable("POSTGRES_DSN") is { Length: > 0 } given)
        {
            return new(Answering(given));
        }

        if (ContainerEngine.Answers())
        {
            return new(PostgresContainer.Start());
        }

        var cluster = PostgresCluster.Start(fsync: false);
        return new(cluster.Uri)
        {
            Unavailable = cluster.Unavailable is { } reason
                ? $"There is no Postgres: POSTGRES_DSN is not set, and no container engine answers at {ContainerEngine.Address}. {reason}"
                : null,
        };
    }

    // A server that is set explicitly must answer: there is no fallback.
    private static string Answering(string given)
    {
        var settings = PostgresUri.Parse("POSTGRES_DSN", given);
        settings.Pooling = false;
        try
        {
            using var connection = new NpgsqlConnection(settings.ConnectionString);
            connection.Open();
            return given;
        }
        catch (NpgsqlException e)
        {
            throw new InvalidOperationException(
                $"POSTGRES_DSN is set and its server does not answer: {e.Message.TrimEnd('.')}. Start it, correct the address, or "
                    + "unset POSTGRES_DSN.", e);
        }
    }
}
