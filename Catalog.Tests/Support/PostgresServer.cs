using Catalog.Data.Database;
using Npgsql;

namespace Catalog.Tests.Support;

/// <summary>
/// The Postgres that the tests share, chosen when the first test asks: the one that POSTGRES_DSN names, else a container where an
/// engine answers, else a cluster from the programs of this machine.
/// </summary>
public sealed class PostgresServer
{
    private static readonly Lazy<PostgresServer> Lazy = new(Choose);

    private PostgresServer(string uri) => Uri = uri;

    public static PostgresServer Shared => Lazy.Value;

    /// <summary>Why there is no server, or null.</summary>
    public string? Unavailable { get; private init; }

    /// <summary>An address with the right to create databases.</summary>
    public string Uri { get; }

    /// <summary>The user of that address.</summary>
    public string Superuser => PostgresUri.Parse("POSTGRES_DSN", Uri).Username!;

    private static PostgresServer Choose()
    {
        if (Environment.GetEnvironmentVariable("POSTGRES_DSN") is { Length: > 0 } lent)
        {
            return new(Answering(lent));
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

    // Who names a server means that one, so there is no second choice.
    private static string Answering(string lent)
    {
        var settings = PostgresUri.Parse("POSTGRES_DSN", lent);
        settings.Pooling = false;
        try
        {
            using var connection = new NpgsqlConnection(settings.ConnectionString);
            connection.Open();
            return lent;
        }
        catch (NpgsqlException e)
        {
            throw new InvalidOperationException($"POSTGRES_DSN is set and its server does not answer: {e.Message.TrimEnd('.')}. Start it, correct the address, or unset POSTGRES_DSN.", e);
        }
    }
}
