namespace Catalog.Data.Warehouses;

/// <summary>The texts of problems that several types of warehouses have. No text contains an address or data.</summary>
internal static class WarehouseMessages
{
    // One text for every reason, so that a caller cannot tell a closed port from a filtered one.
    public static WarehouseException Unreachable() => new(WarehouseProblem.Unreachable,
        "The warehouse does not answer. Check host and port of the connection, and that the server accepts connections from this service.");

    public static WarehouseException FileLocked() => new(WarehouseProblem.Unreachable,
        "Another program writes to the file of the connection and has locked it. Try again when it has ended, or register a copy.");

    public static WarehouseException FileUnreadable() => new(WarehouseProblem.Refused,
        "The service cannot read the file of the connection. Ask the operator to check the file and its permissions.");

    public static WarehouseException Refused(string reason) => new(WarehouseProblem.Refused, reason);

    public static WarehouseException RefusedAddress() =>
        Refused("The operator has not allowed the host or port of the connection. Ask the operator to allow it, or use another "
            + "connection.");

    public static WarehouseException AuthenticationFailed() => new(WarehouseProblem.AuthenticationFailed,
        "The warehouse rejects the login. Check the user and the password of the connection, and whether the user may connect from "
            + "this service.");

    public static WarehouseException DatabaseMissing() => new(WarehouseProblem.DatabaseMissing,
        "The database of the connection does not exist. Create it, or correct its name in the connection.");

    public static WarehouseException TlsFailed() => new(WarehouseProblem.TlsFailed,
        "The encrypted connection to the warehouse failed. Check sslmode, and the certificate of the server.");

    public static WarehouseException Timeout(WarehouseLimits limits) => new(WarehouseProblem.Timeout,
        $"The statement took longer than {limits.Timeout.TotalSeconds:0} seconds and was stopped. Let it read fewer rows, or try "
            + "again later.");

    public static WarehouseException TimedOut() => new(WarehouseProblem.Timeout,
        "The statement took longer than allowed and was stopped. Let it read fewer rows, or try again later.");

    public static WarehouseException TableMissing() => new(WarehouseProblem.TableMissing,
        "A table or schema that the statement names does not exist. Correct the name, or create it.");

    public static WarehouseException ColumnMissing() => new(WarehouseProblem.ColumnMissing,
        "A column that the statement names does not exist. Correct the name.");

    public static WarehouseException PermissionDenied() => new(WarehouseProblem.PermissionDenied,
        "The user of the connection lacks a permission in the warehouse. Grant it the right to connect to the database and to select "
            + "from the tables of the statement.");

    public static WarehouseException Sql(string? code = null) => new(WarehouseProblem.Sql,
        $"The warehouse rejects the statement{(code is null ? "" : $" (code {code})")}. Run it in the warehouse to see why.");

    public static WarehouseException TooMuchData(string what) => new(WarehouseProblem.TooMuchData, what);

    public static WarehouseException AnswerTooLarge() =>
        TooMuchData("The answer of the warehouse is too large. Select fewer rows or columns.");

    public static WarehouseException Unreadable() => new(WarehouseProblem.Sql,
        "The result contains a value that cannot be read. Cast the column to text.");

    public static WarehouseException CatalogDatabase() =>
        Refused("The connection leads to the Catalog's own database. Register another database.");

    public static WarehouseException NoRows() => Refused("Only statements that return columns can run here: start with SELECT or WITH.");

    public static WarehouseException OneStatement() => Refused("Only one SELECT statement can run here.");
}
