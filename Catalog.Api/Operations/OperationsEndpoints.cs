using System.Reflection;
using Catalog.Api.Http;

namespace Catalog.Api.Operations;

internal static class OperationsEndpoints
{
    /// <summary>The version number, followed by a plus sign and the commit when the build knew it.</summary>
    public static readonly string Version =
        typeof(OperationsEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        // Probes would outnumber the requests of clients in the metrics, and a replica that is not ready is not an
        // error.
        var operations = routes.MapGroup("").WithTags("Operations").DisableHttpMetrics();

        operations.MapGet("/health", () => TypedResults.Ok(new Health { Status = "ok" })).WithName("GetHealth")
            .WithSummary("Liveness probe: the process is running. Does not check the database");
        operations.MapGet("/ready", Ready).WithName("GetReady").Produces<ReadyState>().Refuses(503)
            .WithSummary("Readiness probe: the database is available and has the schema of this build");
        operations.MapGet("/version", () => TypedResults.Ok(new ServiceVersion { Version = Version })).WithName("GetVersion")
            .WithSummary("Read the version of this build");
    }

    private static async Task<IResult> Ready(Readiness readiness, CancellationToken ct)
    {
        var state = await readiness.Check(ct);
        return state.Ready
            ? TypedResults.Ok(new ReadyState { Status = "ready", Revision = state.Head! }) : Problems.NotReady(state.Reason!);
    }
}

/// <summary>The result of the liveness probe.</summary>
public sealed record Health
{
    /// <summary>Always <c>ok</c>.</summary>
    public required string Status { get; init; }
}

/// <summary>The result of the readiness probe when this replica can serve requests.</summary>
public sealed record ReadyState
{
    /// <summary>Always <c>ready</c>. A replica that is not ready answers 503 with a problem.</summary>
    public required string Status { get; init; }

    /// <summary>The newest migration script that was applied to the database.</summary>
    public required string Revision { get; init; }
}

/// <summary>The version of the service.</summary>
public sealed record ServiceVersion
{
    /// <summary>The version number, followed by a plus sign and the commit when the build knew it.</summary>
    public required string Version { get; init; }
}
