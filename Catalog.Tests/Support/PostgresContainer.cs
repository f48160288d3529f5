using Catalog.Tests.Support;
using DotNet.Testcontainers.Configurations;
using Testcontainers.PostgreSql;

[assembly: AssemblyFixture(typeof(PostgresContainer))]

namespace Catalog.Tests.Support;

/// <summary>
/// The shared Postgres in a container, which is removed when the last test has ended, however it ended; what a killed run leaves
/// behind is removed by the next one.
/// </summary>
public sealed class PostgresContainer : IAsyncDisposable
{
    private static PostgreSqlContainer? _container;

    /// <summary>Starts it.</summary>
    /// <returns>Its address as the superuser.</returns>
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
        var address = new UriBuilder("postgresql", _container.Hostname, _container.GetMappedPublicPort(PostgreSqlBuilder.PostgreSqlPort), "postgres")
        {
            UserName = PostgreSqlBuilder.DefaultUsername,
            Password = PostgreSqlBuilder.DefaultPassword,
        };
        return address.Uri.ToString();
    }).GetAwaiter().GetResult();

    // The end of the process is too late: the runner gives it a tenth of a second.
    public async ValueTask DisposeAsync()
    {
        if (_container is not null)
        {
            await _container.DisposeAsync();
        }
    }
}
