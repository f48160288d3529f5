using Catalog.Data.Warehouses;
using Catalog.Tests.Support;
using MySqlConnector;

namespace Catalog.Tests.Warehouses;

/// <summary>A database on the shared server. Its user may do everything in it: only the session keeps it from writing.</summary>
public sealed class MariaDbSource : WarehouseSource
{
    private readonly string _name = $"w{Guid.NewGuid():N}"[..16];

    public override WarehouseSettings Settings => new()
    {
        Type = "mariadb",
        Host = "127.0.0.1",
        Port = MariaDbServer.Shared.Port,
        User = _name,
        Password = "pässword",
        Database = _name,
    };

    public override async ValueTask InitializeAsync()
    {
        if (MariaDbServer.Shared.Unavailable is null)
        {
            await MariaDbServer.Shared.Execute(
                $"create database {_name}", $"create user {_name}@'%' identified by 'pässword'", $"grant all on {_name}.* to {_name}@'%'",
                $"create table {_name}.items (id integer, name varchar(20), amount decimal(10, 2), share double)",
                $"create table {_name}.plain (id integer) engine = MyISAM",
                $"create procedure {_name}.write_items() begin commit; delete from items; end",
                $"insert into {_name}.items values {Rows}");
        }
    }

    public override async Task Execute(params string[] statements)
    {
        await using var connection = new MySqlConnection(MariaDbServer.Shared.Root);
        await connection.OpenAsync(Ct);
        await connection.ChangeDatabaseAsync(_name, Ct);
        foreach (var sql in statements)
        {
            await using var command = new MySqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(Ct);
        }
    }

    public override async Task<long> CountRows()
    {
        await using var connection = new MySqlConnection(MariaDbServer.Shared.Root);
        await connection.OpenAsync(Ct);
        await using var command = new MySqlCommand($"select count(*) + (select count(*) from {_name}.plain) from {_name}.items", connection);
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }

    public override async ValueTask DisposeAsync()
    {
        if (MariaDbServer.Shared.Unavailable is null)
        {
            await MariaDbServer.Shared.Execute($"drop database {_name}", $"drop user {_name}@'%'");
        }

        await base.DisposeAsync();
    }
}
