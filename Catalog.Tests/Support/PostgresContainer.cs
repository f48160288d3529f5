using Catalog.Tests.Support;
using DotNet.Testcontainers.Configurations;
using Testcontainers.PostgreSql;

[assembly: AssemblyFixture(typeof(PostgresContainer))]

namespace Catalog.Tests.Support;

/// <summary>
/// The shared Postgres in a container. It is removed after the last test. The next run removes the container of a
/// killed run.
/// </summary>
public sealed class PostgresContainer : IAsyncDisposable
{
    private static PostgreSqlContainer? _container;

    /// <summary>Starts the container.</summary>
    /// <returns>The server's address as the superuser.</returns>
    public static string Start() => Task.Run(async () =>
    {
        await ContainerEngine.Sweep();
        _container = new PostgreSqlBuilder("postgres:15")
            .WithDockerEndpoint(ContainerEngine.Address)
            .WithLabel(ContainerEngine.OwnerLabel, ContainerEngine.Owner)
            .WithEnvironment("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --no-locale")
            .WithCommand(new OverwriteEnumerable<string>(["-c", "fsync=off", "-c", "max_connections=300"]))
            .Build();
        await _container.StartAsync();
        var address = new UriBuilder("postgresql", _container.Hostname, _container.GetMappedPublicPort(PostgreSqlBuilder.PostgreSqlPort),
            "postgres")
        {
            UserName = PostgreSqlBuilder.DefaultUsername,
            Password = PostgreSqlBuilder.DefaultPassword,
        };
        return address.Uri.ToString();
    }).GetAwaiter().GetResult();

    // The process exit event is too late: the test runner waits only a tenth of a second for it.
    public async ValueTask DisposeAsync()
    {
        if (_container is not null)
        {
            await _container.DisposeAsync();
        }
    }
}
