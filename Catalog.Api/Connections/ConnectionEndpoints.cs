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
    public static IServiceCollection AddConnections(this IServiceCollection services, ServiceSettings settings,
        DatabaseSettings database) => services
        .AddSingleton(new SecretBox(
            settings.SecretKey ?? SecretKeyFile.ReadOrCreate(database), settings.PreviousSecretKey))
        .AddSingleton(new DestinationGuard(settings.PrivateWarehouses))
        .AddSingleton(new WarehouseFiles(settings.WarehouseFiles))
        .AddSingleton(provider => new WarehouseFactory(provider.GetRequiredService<DestinationGuard>(),
            provider.GetRequiredService<WarehouseFiles>(),
            database.Engine == DatabaseEngine.Postgres
                ? new CatalogDatabaseDetector(provider.GetRequiredService<CatalogDatabase>()) : null))
        .AddSingleton<WarehousePool>()
        .AddSingleton<ConnectionWarehouses>();

    public static void MapConnections(this IEndpointRouteBuilder routes)
    {
        var connections = routes.MapGroup("/connections").WithTags("Connections");

        connections.MapPost("/", Post).WithName("RegisterConnection").Requires(Scopes.Manage).Reads<PostConnection>()
            .Produces<ConnectionItem>(201).Produces<ConnectionItem>(200).Refuses(403, 409, 501)
            .WithSummary("Register a warehouse connection");
        connections.MapGet("/", List).WithName("ListConnections").Requires(Scopes.Read).ReadsQuery<ConnectionQuery>()
            .WithSummary("List connections, newest first");
        connections.MapGet("/{id}", Get).WithName("GetConnection").Requires(Scopes.Read).HasETag().Produces<ConnectionItem>().Refuses(404)
            .WithSummary("Read a connection; secrets are masked");
        connections.MapPut("/{id}", Put).WithName("ReplaceConnection").Requires(Scopes.Manage).Reads<PutConnection>().AcceptsIfMatch()
            .Produces<ConnectionItem>().Refuses(404, 501).WithSummary("Replace a connection");
        connections.MapDelete("/{id}", Delete).WithName("DeleteConnection").Requires(Scopes.Manage).AcceptsIfMatch().Produces(204)
            .Refuses(404)
            .WithSummary("Delete a connection");
        connections.MapPost("/{id}/test", Test).WithName("TestConnection").Requires(Scopes.Execute).Produces<ConnectionTest>().Refuses(404)
            .WithSummary("Test a connection: connect to the warehouse and return the result");
    }

    private static async Task<IResult> Post(
        Body<PostConnection> body, Caller caller, ConnectionRepository connections, SecretBox box, TimeProvider time, CancellationToken ct)
    {
        var id = body.Value.Id!;
        if (Build(id, body.Value, caller, box, time.Now()) is not { } connection)
        {
            return Problems.SecretKeyMissing();
        }

        var (stored, ceiling) = await connections.Insert(
            caller.Organization, connection, caller.NewAuditEntry("connection", id, "created", time), ct);
        if (ceiling is not null)
        {
            return Problems.PlanLimitReached(ceiling);
        }

        if (stored)
        {
            return TypedResults.Created($"/api/v1/connections/{Uri.EscapeDataString(id)}", ConnectionItem.From(connection));
        }

        var existing = await connections.Find(caller.Organization, id, ct);
        return existing is not null && HasSameContent(caller, box, existing, connection)
            ? TypedResults.Ok(ConnectionItem.From(existing)) : Problems.IdTaken("connection", id);
    }

    private static async Task<Ok<ItemList<ConnectionItem>>> List(
        [AsParameters] ConnectionQuery query, Caller caller, ConnectionRepository connections, CancellationToken ct) =>
        TypedResults.Ok(
            Lists.Of(query, await connections.List(caller.Organization, query.Type, query.After(), query.Take(), ct), ConnectionItem.From));

    private static async Task<IResult> Get(PathId id, Caller caller, ConnectionRepository connections, CancellationToken ct) =>
        await connections.Find(caller.Organization, id.Value, ct) is { } connection
            ? TypedResults.Ok(ConnectionItem.From(connection)) : Problems.NotFound("connection");

    private static async Task<IResult> Put(
        PathId id, Body<PutConnection> body, IfMatch match, Caller caller, ConnectionRepository connections, SecretBox box,
        TimeProvider time, CancellationToken ct)
    {
        if (await connections.Find(caller.Organization, id.Value, ct) is not { } existing)
        {
            return Problems.NotFound("connection");
        }

        if (match.Check(() => ConnectionItem.From(existing)) is { } refusal)
        {
            return refusal;
        }

        if (Build(id.Value, body.Value, caller, box, time.Now()) is not { } connection)
        {
            return Problems.SecretKeyMissing();
        }

        return await connections.Replace(caller.Organization, connection, match.AsOf(existing.UpdatedAt),
            caller.NewAuditEntry("connection", id.Value, "changed", time), ct)
            ? TypedResults.Ok(ConnectionItem.From(connection with { CreatedAt = existing.CreatedAt }))
            : match.Given ? Problems.PreconditionFailed() : Problems.NotFound("connection");
    }

    private static async Task<IResult> Delete(PathId id, IfMatch match, Caller caller, ConnectionRepository connections, TimeProvider time,
        CancellationToken ct)
    {
        var existing = match.Given ? await connections.Find(caller.Organization, id.Value, ct) : null;
        if (existing is not null && match.Check(() => ConnectionItem.From(existing)) is { } refusal)
        {
            return refusal;
        }

        return await connections.Delete(caller.Organization, id.Value, existing is null ? null : match.AsOf(existing.UpdatedAt),
            caller.NewAuditEntry("connection", id.Value, "deleted", time), ct) ? TypedResults.NoContent()
            : existing is not null ? Problems.PreconditionFailed() : Problems.NotFound("connection");
    }

    private static async Task<IResult> Test(PathId id, Caller caller, ConnectionWarehouses warehouses, CancellationToken ct) =>
        await warehouses.Test(caller.Organization, id.Value, ct) is var (state, detail)
            ? TypedResults.Ok(new ConnectionTest
            {
                Status = JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString()),
                Detail = detail
            })
            : Problems.NotFound("connection");

    // Returns null when the configuration contains a secret and no key is configured to encrypt it.
    private static Connection? Build(string id, PutConnection posted, Caller caller, SecretBox box, DateTimeOffset now)
    {
        var config = ConnectionConfig.Read(posted.Type!, posted.Config).Config!;
        var secrets = config.SecretsToJson();
        return secrets is not null && !box.CanSeal ? null : new()
        {
            Id = id,
            Type = posted.Type!,
            Config = config.ToMaskedJson(posted.Type!),
            Secrets = secrets is null ? null : box.Seal(caller.Organization, id, secrets),
            CreatedAt = now,
            UpdatedAt = now,
        };
    }

    private static bool HasSameContent(Caller caller, SecretBox box, Connection left, Connection right)
    {
        string? Secrets(Connection connection) => connection.Secrets is { } secrets
            ? box.Open(caller.Organization, connection.Id, secrets) : null;
        return (left.Type, left.Config, Secrets(left)) == (right.Type, right.Config, Secrets(right));
    }
}
