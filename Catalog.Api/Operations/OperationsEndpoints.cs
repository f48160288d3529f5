using System.Reflection;
using Catalog.Api.Http;

namespace Catalog.Api.Operations;

internal static class OperationsEndpoints
{
    private static readonly string Version =
        typeof(OperationsEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("").WithTags("Operations");

        operations.MapGet("/health", () => TypedResults.Ok(new Health { Status = "ok" })).WithName("GetHealth")
            .WithSummary("The process lives. Never looks at the database");
        operations.MapGet("/ready", Ready).WithName("GetReady").Produces<ReadyState>().Refuses(503)
            .WithSummary("The database answers and has the schema that this build wants");
        operations.MapGet("/version", () => TypedResults.Ok(new ServiceVersion { Version = Version })).WithName("GetVersion")
            .WithSummary("Which build answers");
    }

    private static async Task<IResult> Ready(Readiness readiness, CancellationToken ct)
    {
        var state = await readiness.Look(ct);
        return state.Ready ? TypedResults.Ok(new ReadyState { Status = "ready", Revision = state.Head! }) : Problems.NotReady(state.Reason!);
    }
}

/// <summary>The process lives.</summary>
public sealed record Health
{
    /// <summary>Always ok.</summary>
    public required string Status { get; init; }
}

/// <summary>Traffic may be sent here.</summary>
public sealed record ReadyState
{
    /// <summary>Always ready; otherwise the answer is 503.</summary>
    public required string Status { get; init; }

    /// <summary>The newest migration that the database has had.</summary>
    public required string Revision { get; init; }
}

/// <summary>Which build answers.</summary>
public sealed record ServiceVersion
{
    /// <summary>The version, with the commit behind a plus sign where the build knew it.</summary>
    public required string Version { get; init; }
}
