using Catalog.Api.Connections;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Connections;
using Catalog.Data.Demo;
using Catalog.Data.Organizations;

namespace Catalog.Api.Demo;

/// <summary>The warehouse of the demo: a SQLite file that the Catalog can run checks on.</summary>
internal static class DemoWarehouse
{
    /// <summary>The id of the connection to the warehouse.</summary>
    public const string Connection = "warehouse";

    public const int Orders = SqliteShop.Orders;

    public const int CustomersWithoutEmail = SqliteShop.CustomersWithoutEmail;

    private const string File = "shop.db";

    /// <summary>Writes the file and registers its connection.</summary>
    /// <param name="folder">The folder with the files of warehouses.</param>
    /// <param name="connections">Stores the connection.</param>
    /// <param name="time">The clock.</param>
    /// <param name="ct">Cancels the operation.</param>
    public static async Task Create(string folder, ConnectionRepository connections, TimeProvider time, CancellationToken ct)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, Organization.Default));
        SqliteShop.Write(Path.Combine(own.FullName, File));
        var posted = new PutConnection { Type = "sqlite", Config = new($$"""{"path":"{{File}}"}""") };
        var config = ConnectionConfig.Read(posted.Type, posted.Config).Config!;
        var caller = new Caller(Organization.Default, "demo", Scopes.All, IsOperator: false);
        await connections.Insert(
            caller.Organization,
            new()
            {
                Id = Connection,
                Type = posted.Type,
                Config = config.ToMaskedJson(posted.Type),
                CreatedAt = time.Now(),
                UpdatedAt = time.Now(),
            },
            caller.NewAuditEntry("connection", Connection, "created", time), ct);
    }
}
