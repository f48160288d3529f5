using System.Data.Common;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO;

namespace Catalog.Data.Warehouses;

/// <summary>
/// A connection to a ClickHouse warehouse that can only read. The HTTP interface runs each statement on its own,
/// without a transaction. It accepts only one statement in a text.
/// </summary>
internal sealed class ClickHouseWarehouseConnection(ClickHouseConnection connection, HttpClient http) : WarehouseConnection(connection)
{
    /// <inheritdoc />
    public override async Task<DbDataReader> Execute(string sql, CancellationToken ct)
    {
        var command = connection.CreateCommand(sql);
        return await command.ExecuteReaderAsync(ct);
    }

    /// <inheritdoc />
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        // This ends the request if its response was not read to the end.
        http.Dispose();
    }

    /// <inheritdoc />
    public override WarehouseException Translate(Exception exception) => exception switch
    {
        _ when ClickHouseWarehouse.Inner<WarehouseException>(exception) is { } own => own,
        ClickHouseServerException { ErrorCode: 159 or 160 } => WarehouseMessages.TimedOut(),
        ClickHouseServerException { ErrorCode: 60 or 81 } => WarehouseMessages.TableMissing(),
        ClickHouseServerException { ErrorCode: 47 or 16 } => WarehouseMessages.ColumnMissing(),
        ClickHouseServerException { ErrorCode: 497 } => WarehouseMessages.PermissionDenied(),
        ClickHouseServerException { ErrorCode: 164 } => WarehouseMessages.NoRows(),
        ClickHouseServerException { ErrorCode: 396 } =>
            WarehouseMessages.TooMuchData("The result is too large. Select fewer rows or columns."),
        ClickHouseServerException { ErrorCode: var code } => WarehouseMessages.Sql($"{code}"),
        InvalidCastException or OverflowException or NotSupportedException or FormatException => WarehouseMessages.Unreadable(),
        _ => WarehouseMessages.Unreachable(),
    };
}
