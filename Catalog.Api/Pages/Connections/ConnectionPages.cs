using System.Text.Json;
using Catalog.Api.Connections;
using Catalog.Api.Http;
using Catalog.Api.SignIn;
using Catalog.Data.Connections;

namespace Catalog.Api.Pages.Connections;

/// <summary>
/// The list of connections, and the page of one connection with its test. Secrets are masked as in the API.
/// </summary>
internal static class ConnectionPages
{
    public static void MapConnectionPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/connections", List).RequiresSession(Scopes.Read).ReadsPage<ConnectionQuery>();
        pages.MapGet("/connections/{id}", Show).RequiresSession(Scopes.Read);
        pages.MapPost("/connections/{id}/test", Test).RequiresSession(Scopes.Execute).DisableAntiforgery().RequiresForm();
    }

    private static async Task<IResult> List([AsParameters] ConnectionQuery query, [AsParameters] DownloadQuery page, Caller caller,
        ConnectionRepository connections, HttpContext context, CancellationToken ct)
    {
        var list = Lists.Of(query, await connections.List(caller.Organization, query.Type, query.After(), query.Take(), ct),
            ConnectionItem.From);
        return page.Download is { } format
            ? Download.Of(format, "connections", list, context, ("id", connection => connection.Id),
                ("type", connection => connection.Type),
                ("place", connection => ConnectionConfigView.Of(connection).Place), ("created_at", connection => connection.CreatedAt),
                ("updated_at", connection => connection.UpdatedAt))
            : PageResult.Of<ConnectionListPage>((nameof(ConnectionListPage.Query), query), (nameof(ConnectionListPage.Connections), list));
    }

    private static async Task<IResult> Show(PathId id, Caller caller, ConnectionRepository connections, CancellationToken ct) =>
        await connections.Find(caller.Organization, id.Value, ct) is { } connection
            ? PageResult.Of<ConnectionPage>((nameof(ConnectionPage.Connection), ConnectionItem.From(connection)))
            : Problems.NotFound("connection");

    private static async Task<IResult> Test(PathId id, Caller caller, ConnectionRepository connections, ConnectionWarehouses warehouses,
        CancellationToken ct)
    {
        if (await connections.Find(caller.Organization, id.Value, ct) is not { } connection
            || await warehouses.Test(caller.Organization, id.Value, ct) is not var (state, detail))
        {
            return Problems.NotFound("connection");
        }

        return PageResult.Of<ConnectionPage>(
            (nameof(ConnectionPage.Connection), ConnectionItem.From(connection)),
            (nameof(ConnectionPage.Result), new ConnectionTest
            {
                Status = JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString()),
                Detail = detail,
            }));
    }
}

/// <summary>The configuration of a connection as people read it.</summary>
/// <param name="Place">Where the warehouse is: host and port, or a file.</param>
/// <param name="Fields">The fields of the configuration; secrets are masked.</param>
internal sealed record ConnectionConfigView(string Place, IReadOnlyList<(string Name, string Value)> Fields)
{
    public static ConnectionConfigView Of(ConnectionItem connection)
    {
        using var json = JsonDocument.Parse(connection.Config.Text);
        var fields = json.RootElement.ValueKind == JsonValueKind.Object
            ? json.RootElement.EnumerateObject().Select(field => (field.Name,
                field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString()! : field.Value.GetRawText())).ToList()
            : [];
        string? Find(string name) => fields.Find(field => field.Name == name).Item2;
        var host = Find("host") is { } name ? Find("port") is { } port ? $"{name}:{port}" : name : null;
        return new(host ?? Find("path") ?? Find("dsn") ?? "–", fields);
    }
}
