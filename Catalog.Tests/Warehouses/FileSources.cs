using Catalog.Data.Warehouses;
using DuckDB.NET.Data;
using Microsoft.Data.Sqlite;

namespace Catalog.Tests.Warehouses;

public sealed class SqliteSource : WarehouseSource
{
    public override WarehouseSettings Settings => new() { Type = "sqlite", Path = "items.db" };

    public override async ValueTask InitializeAsync() => await Execute(
        "create table items (id integer, name text, amount numeric, share real)",
        $"insert into items values {Rows}");

    public override async Task<long> CountRows()
    {
        await using var connection = Open();
        await using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from items";
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }

    public override async Task Execute(params string[] statements)
    {
        await using var connection = Open();
        foreach (var sql in statements)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync(Ct);
        }
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={FilePath("items.db")};Pooling=false");
        connection.Open();
        return connection;
    }
}

public sealed class DuckDbSource : WarehouseSource
{
    public override WarehouseSettings Settings => new() { Type = "duckdb", Path = "items.duckdb" };

    public override async ValueTask InitializeAsync() => await Execute(
        "create table items (id integer, name varchar, amount decimal(10, 2), share double)", $"insert into items values {Rows}");

    public override Task Execute(params string[] statements)
    {
        using var connection = new DuckDBConnection($"DataSource={FilePath("items.duckdb")}");
        connection.Open();
        foreach (var sql in statements)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }

        return Task.CompletedTask;
    }

    public override Task<long> CountRows()
    {
        using var connection = new DuckDBConnection($"DataSource={FilePath("items.duckdb")};access_mode=READ_ONLY");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from items";
        return Task.FromResult((long)command.ExecuteScalar()!);
    }
}
