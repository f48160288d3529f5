using Catalog.Data.Warehouses;
using Catalog.Tests.Support;

namespace Catalog.Tests.Warehouses;

/// <summary>A database on the shared server. Its user is a superuser: only the session keeps it from writing.</summary>
public sealed class PostgresSource : WarehouseSource
{
    private readonly string _name = $"warehouse_{Guid.NewGuid():N}";

    public string Address => PostgresTestDatabase.AddressOf(_name);

    public override WarehouseSettings Settings => new() { Type = "postgres", Dsn = Address + "?sslmode=disable" };

    public override async ValueTask InitializeAsync()
    {
        if (PostgresServer.Shared.Unavailable is null)
        {
            await PostgresTestDatabase.Execute($"create database {_name}");
            await DedicatedPostgres.Execute(Address,
                "create table items (id integer, name text, amount numeric(10, 2), share double precision)",
                "create sequence counter", $"insert into items values {Rows}");
        }
    }

    public override Task Execute(params string[] statements) => DedicatedPostgres.Execute(Address, statements);

    public override Task<long> CountRows() => DedicatedPostgres.Scalar<long>(Address, "select count(*) from items");

    public override async ValueTask DisposeAsync()
    {
        if (PostgresServer.Shared.Unavailable is null)
        {
            await PostgresTestDatabase.Execute($"drop database {_name} with (force)");
        }

        await base.DisposeAsync();
    }
}
