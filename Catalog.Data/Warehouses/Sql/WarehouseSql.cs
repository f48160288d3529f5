namespace Catalog.Data.Warehouses.Sql;

/// <summary>How SQL is written for a type of warehouse: quoting, literals and functions.</summary>
public abstract class WarehouseSql
{
    /// <summary>Quotes the name of a column or table.</summary>
    public abstract string Quote(string identifier);
}
