using Microsoft.Data.Sqlite;

namespace Catalog.Data.Demo;

/// <summary>
/// Writes the warehouse file of the demo, with orders and customers of a shop. Only the times of the orders differ from
/// start to start.
/// </summary>
public static class SqliteShop
{
    /// <summary>The number of orders.</summary>
    public const int Orders = 6000;

    /// <summary>The number of customers who have no e-mail address.</summary>
    public const int CustomersWithoutEmail = 40;

    // One order has an unknown status; every thirtieth customer has no e-mail address.
    private const string Sql = """
        pragma synchronous = off;
        create table customers (id integer primary key, name text not null, email text, country text not null);
        create table orders (
            id integer primary key, customer_id integer not null, status text not null, total real not null, ordered_at text not null);
        with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 1200)
        insert into customers (id, name, email, country)
        select n, 'Customer ' || n, case when n % 30 = 0 then null else 'customer' || n || '@shop.example' end,
            substr('DEFRNLPLES', 1 + 2 * (n * 7 % 5), 2)
        from numbers;
        with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 6000)
        insert into orders (id, customer_id, status, total, ordered_at)
        select n, 1 + n * 37 % 1200,
            case when n = 4711 then 'lost' when n % 40 = 0 then 'returned' when n % 9 = 0 then 'new' when n % 4 = 0 then 'paid'
                else 'sent' end,
            5 + n * 131 % 240, datetime('now', '-' || (n * 43200 / 6000) || ' minutes')
        from numbers;
        """;

    /// <param name="path">The file, which must not exist.</param>
    public static void Write(string path)
    {
        var file = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false };
        using var connection = new SqliteConnection(file.ConnectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = Sql;
        command.ExecuteNonQuery();
    }
}
