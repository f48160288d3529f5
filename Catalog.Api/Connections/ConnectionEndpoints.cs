using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Connections;
using Catalog.Data.Database;
using Catalog.Data.Warehouses;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Catalog.Api.Connections;

internal static class ConnectionEndpoints
{
    public static IServiceCollection AddConnections(this IServiceCollection services, ServiceSettings settings, DatabaseSettings database) => services
        .AddSingleton(new SecretBox(settings.SecretKey ?? SecretKeyFile.Beside(database)))
        .AddSingleton(new AddressGuard(settings.PrivateWarehouses));

    public static void MapConnections(this IEndpointRouteBuilder routes)
    {
        var connections = routes.MapGroup("/connections").WithTags("Connections");

        connections.MapPost("/", Post).WithName("RegisterConnection").Requires(Scopes.Manage).Reads<PostConnection>()
            .Produces<ConnectionItem>(201).Produces<ConnectionItem>(200).Refuses(403, 409, 501).WithSummary("Register a warehouse connection");
        connections.MapGet("/", List).WithName("ListConnections").Requires(Scopes.Read).ReadsQuery<ConnectionQuery>().WithSummary("List connections, the newest first");
        connections.MapGet("/{id}", Get).WithName("GetConnection").Requires(Scopes.Read).HasETag().Produces<ConnectionItem>().Refuses(404)
            .WithSummary("Read a connection; its secrets are masked");
        connections.MapPut("/{id}", Put).WithName("ReplaceConnection").Requires(Scopes.Manage).Reads<PutConnection>().TakesIfMatch()
            .Produces<ConnectionItem>().Refuses(404, 501).WithSummary("Replace a connection");
        connections.MapDelete("/{id}", Delete).WithName("DeleteConnection").Requires(Scopes.Manage).TakesIfMatch().Produces(204).Refuses(404)
            .WithSummary("Remove a connection");
        connections.MapPost("/{id}/test", Test).WithName("TestConnection").Requires(Scopes.Execute).Produces<ConnectionTest>().Refuses(404)
            .WithSummary("Connect, and say in one word what came of it");
    }

    private static async Task<IResult> Post(
        Body<PostConnection> body, Caller caller, ConnectionRepository connections, SecretBox box, TimeProvider time, CancellationToken ct)
    {
        var id = body.Value.Id!;
        if (Build(id, body.Value, caller, box, time.Now()) is not { } connection)
        {
            return Problems.SecretKeyMissing();
        }

        var (stored, ceiling) = await connections.Insert(caller.Organization, connection, caller.Did("connection", id, "created", time), ct);
        if (ceiling is not null)
        {
            return Problems.PlanLimitReached(ceiling);
        }

        if (stored)
        {
            return TypedResults.Created($"/api/v1/connections/{Uri.EscapeDataString(id)}", ConnectionItem.From(connection));
        }

        var present = await connections.Find(caller.Organization, id, ct);
        return present is not null && Same(caller, box, present, connection) ? TypedResults.Ok(ConnectionItem.From(present)) : Problems.IdTaken("connection", id);
    }

    private static async Task<Ok<ItemList<ConnectionItem>>> List(
        [AsParameters] ConnectionQuery query, Caller caller, ConnectionRepository connections, CancellationToken ct) =>
        TypedResults.Ok(Lists.Of(query, await connections.List(caller.Organization, query.Type, query.After(), query.Take(), ct), ConnectionItem.From));

    private static async Task<IResult> Get(PathId id, Caller caller, ConnectionRepository connections, CancellationToken ct) =>
        await connections.Find(caller.Organization, id.Value, ct) is { } connection ? TypedResults.Ok(ConnectionItem.From(connection)) : Problems.NotFound("connection");

    private static async Task<IResult> Put(
        PathId id, Body<PutConnection> body, IfMatch match, Caller caller, ConnectionRepository connections, SecretBox box, TimeProvider time, CancellationToken ct)
    {
        if (await connections.Find(caller.Organization, id.Value, ct) is not { } present)
        {
            return Problems.NotFound("connection");
        }

        if (match.Refusal(() => ConnectionItem.From(present)) is { } refusal)
        {
            return refusal;
        }

        if (Build(id.Value, body.Value, caller, box, time.Now()) is not { } connection)
        {
            return Problems.SecretKeyMissing();
        }

        return await connections.Replace(caller.Organization, connection, match.AsOf(present.UpdatedAt), caller.Did("connection", id.Value, "changed", time), ct)
            ? TypedResults.Ok(ConnectionItem.From(connection with { CreatedAt = present.CreatedAt }))
            : match.Given ? Problems.PreconditionFailed() : Problems.NotFound("connection");
    }

    private static async Task<IResult> Delete(PathId id, IfMatch match, Caller caller, ConnectionRepository connections, TimeProvider time, CancellationToken ct)
    {
        var present = match.Given ? await connections.Find(caller.Organization, id.Value, ct) : null;
        if (present is not null && match.Refusal(() => ConnectionItem.From(present)) is { } refusal)
        {
            return refusal;
        }

        return await connections.Delete(caller.Organization, id.Value, present is null ? null : match.AsOf(present.UpdatedAt), caller.Did("connection", id.Value, "deleted", time), ct) ? TypedResults.NoContent()
            : present is not null ? Problems.PreconditionFailed() : Problems.NotFound("connection");
    }

    private static async Task<IResult> Test(
        PathId id, Caller caller, ConnectionRepository connections, SecretBox box, AddressGuard guard, CancellationToken ct)
    {
        if (await connections.Find(caller.Organization, id.Value, ct) is not { } connection)
        {
            return Problems.NotFound("connection");
        }

        var secrets = connection.Secrets is { } sealedSecrets ? box.Open(caller.Organization, connection.Id, sealedSecrets) : null;
        var config = ConnectionConfig.From(connection.Config, secrets);
        var state = connection.Type != "postgres" ? WarehouseState.Refused
            : config.RefersToSecrets || (secrets is null && connection.Secrets is not null) ? WarehouseState.SecretUnavailable
            : await Connect(config, guard, ct);
        return TypedResults.Ok(new ConnectionTest { Status = JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString()) });
    }

    private static async Task<WarehouseState> Connect(ConnectionConfig config, AddressGuard guard, CancellationToken ct)
    {
        PostgresWarehouse warehouse;
        try
        {
            warehouse = config.Warehouse();
        }
        catch (SettingException)
        {
            // Registered before the rules became stricter.
            return WarehouseState.Unreachable;
        }

        return await warehouse.Test(guard, ct);
    }

    // Null when there is a secret to keep and no key to keep it with.
    private static Connection? Build(string id, PutConnection posted, Caller caller, SecretBox box, DateTimeOffset now)
    {
        var config = ConnectionConfig.Read(posted.Type!, posted.Config).Config!;
        var secrets = config.ToSeal();
        return secrets is not null && !box.CanSeal ? null : new()
        {
            Id = id,
            Type = posted.Type!,
            Config = config.ToShow(posted.Type!),
            Secrets = secrets is null ? null : box.Seal(caller.Organization, id, secrets),
            CreatedAt = now,
            UpdatedAt = now,
        };
    }

    private static bool Same(Caller caller, SecretBox box, Connection left, Connection right)
    {
        string? Opened(Connection connection) => connection.Secrets is { } secrets ? box.Open(caller.Organization, connection.Id, secrets) : null;
        return (left.Type, left.Config, Opened(left)) == (right.Type, right.Config, Opened(right));
    }
}
