using System.Diagnostics;
using Docker.DotNet;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Configurations;

namespace Catalog.Tests.Support;

/// <summary>A container engine with Docker's API: at DOCKER_HOST, else at Docker's default socket.</summary>
public static class ContainerEngine
{
    /// <summary>The label of a container that names its test process: machine name and process id.</summary>
    public const string OwnerLabel = "catalog.tests.owner";

    public static string Address { get; } =
        Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } host ? host : "unix:///var/run/docker.sock";

    public static string Owner => $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <summary>Pings the engine. An installed docker program does not prove that an engine runs.</summary>
    public static bool Answers()
    {
        try
        {
            Task.Run(async () =>
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
                using var client = Open();
                await client.System.PingAsync(limit.Token);
            }).GetAwaiter().GetResult();
            return true;
        }
        catch (Exception)
        {
            // Each kind of address throws its own exceptions, so all are caught. An invalid address also means that
            // there is no engine.
            return false;
        }
    }

    /// <summary>Removes containers whose test process on this machine has ended without removing them.</summary>
    public static async Task Sweep()
    {
        using var client = Open();
        var filter = new Dictionary<string, IDictionary<string, bool>> { ["label"] = new Dictionary<string, bool> { [OwnerLabel] = true } };
        foreach (var container in await client.Containers.ListContainersAsync(
            new ContainersListParameters { All = true, Filters = filter }))
        {
            if (container.Labels[OwnerLabel].Split('/') is [var machine, var id] && machine == Environment.MachineName
                && !Runs(int.Parse(id, null)))
            {
                await client.Containers.RemoveContainerAsync(
                    container.ID, new ContainerRemoveParameters { Force = true, RemoveVolumes = true });
            }
        }
    }

    private static bool Runs(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static DockerClient Open() => new DockerEndpointAuthenticationConfiguration(new Uri(Address)).GetDockerClientBuilder().Build();
}
