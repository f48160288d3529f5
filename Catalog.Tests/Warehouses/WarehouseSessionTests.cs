using System.Diagnostics;
using Catalog.Data.Warehouses;

namespace Catalog.Tests.Warehouses;

/// <summary>What a session does on every type of warehouse.</summary>
public abstract class WarehouseSessionTests(WarehouseSource source)
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A statement that runs for minutes.</summary>
    protected virtual string LongStatement =>
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000000000) select count(*) from n";

    /// <summary>A statement with 100000 rows.</summary>
    protected virtual string ManyRows =>
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000) select i from n";

    /// <summary>An expression for a text of this length.</summary>
    protected abstract string TextOf(int length);

    /// <summary>Statements of this type that write, or that end the read-only transaction.</summary>
    protected abstract string[] Writes { get; }

    /// <summary>Statements of this type that read or write outside the database.</summary>
    protected abstract string[] Escapes { get; }

    /// <summary>Selects true, a whole number, an exact number, a floating point number, a text and 1 January 2026 noon.</summary>
    protected abstract string Values { get; }

    protected async Task<WarehouseRows> Query(string sql, WarehouseLimits? limits = null)
    {
        await using var warehouse = source.Create();
        await using var session = await warehouse.Open(limits ?? new(), Ct);
        return await session.Query(sql, Ct);
    }

    protected async Task<WarehouseException> Fails(string sql, WarehouseLimits? limits = null) =>
        await Assert.ThrowsAsync<WarehouseException>(() => Query(sql, limits));

    [Fact]
    public async Task A_table_is_read()
    {
        var rows = await Query("select id, name, amount, share from items order by id");

        Assert.Equal(["id", "name", "amount", "share"], rows.Columns);
        Assert.Equal([1L, 2L, 3L], rows.Rows.Select(row => row[0]));
        Assert.Equal(["one", "two", null], rows.Rows.Select(row => row[1]));
        Assert.Equal([0.5, null, 1.5], rows.Rows.Select(row => row[3]));
        Assert.Null(rows.Rows[2][2]);
        Assert.False(rows.Truncated);
    }

    [Fact]
    public async Task Values_have_one_of_seven_types()
    {
        var row = Assert.Single((await Query(Values)).Rows);

        Assert.All(row, value => Assert.True(
            value is null or bool or long or decimal or double or string or DateTimeOffset, value?.GetType().ToString()));
        Assert.Equal(7L, row[1]);
        Assert.Equal(0.25, Convert.ToDouble(row[3], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal("é", row[4]);
        if (row[5] is DateTimeOffset time)
        {
            Assert.Equal(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero), time);
        }
    }

    [Fact]
    public async Task Rows_beyond_the_limit_are_left_out_and_the_session_continues()
    {
        await using var warehouse = source.Create();
        await using var session = await warehouse.Open(new() { MaxRows = 3 }, Ct);

        var rows = await session.Query(ManyRows, Ct);
        Assert.Equal(3, rows.Rows.Count);
        Assert.True(rows.Truncated);
        rows = await session.Query("select id from items", Ct);
        Assert.Equal(3, rows.Rows.Count);
        Assert.False(rows.Truncated);
        Assert.Equal(2, session.Statements);
    }

    [Fact]
    public async Task A_result_that_is_too_large_is_an_error()
    {
        var limits = new WarehouseLimits { MaxBytes = 2000, MaxValueBytes = 1000, MaxColumns = 2, MaxRows = 100_000 };

        Assert.Equal(WarehouseProblem.TooMuchData, (await Fails($"select {TextOf(1001)}", limits)).Problem);
        Assert.Equal(WarehouseProblem.TooMuchData, (await Fails($"select {TextOf(999)} from items", limits)).Problem);
        Assert.Equal(WarehouseProblem.TooMuchData, (await Fails(ManyRows, limits)).Problem);
        Assert.Equal(WarehouseProblem.TooMuchData, (await Fails("select 1, 2, 3", limits)).Problem);
        Assert.Equal(999, ((string)Assert.Single((await Query($"select {TextOf(999)}", limits)).Rows)[0]!).Length);
    }

    [Fact]
    public async Task A_long_statement_ends_at_its_limit_and_the_session_continues()
    {
        await using var warehouse = source.Create();
        await using var session = await warehouse.Open(new() { Timeout = TimeSpan.FromSeconds(0.5) }, Ct);
        var clock = Stopwatch.StartNew();

        var problem = await Assert.ThrowsAsync<WarehouseException>(() => session.Query(LongStatement, Ct));
        Assert.Equal(WarehouseProblem.Timeout, problem.Problem);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.4, 4);
        Assert.Single((await session.Query("select count(*) from items", Ct)).Rows);
    }

    [Fact]
    public async Task A_cancelled_statement_ends_soon()
    {
        await using var warehouse = source.Create();
        await using var session = await warehouse.Open(new(), Ct);
        using var stop = new CancellationTokenSource(300);
        var clock = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.Query(LongStatement, stop.Token));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 4);
    }

    [Fact]
    public async Task Nothing_is_written()
    {
        await using var warehouse = source.Create();
        await using var session = await warehouse.Open(new(), Ct);
        foreach (var sql in Writes)
        {
            WarehouseException? problem = null;
            try
            {
                await session.Query(sql, Ct);
            }
            catch (WarehouseException exception)
            {
                problem = exception;
            }

            Assert.True(problem is not null, $"{sql} was accepted.");
            Assert.True(problem.Problem is WarehouseProblem.Refused or WarehouseProblem.Sql, $"{sql}: {problem.Problem}");
            // Whatever the statement did to the transaction, the next one can only read.
            await Assert.ThrowsAsync<WarehouseException>(() => session.Query("insert into items (id) values (9)", Ct));
        }

        Assert.Equal(3, await source.CountRows());
    }

    [Fact]
    public async Task Nothing_outside_the_database_is_reached()
    {
        var inside = Directory.GetFiles(source.Folder, "*", SearchOption.AllDirectories);
        foreach (var sql in Escapes)
        {
            var problem = await Fails(sql);
            Assert.False(problem.Problem is WarehouseProblem.Unreachable, sql);
        }

        Assert.Equal(inside, Directory.GetFiles(source.Folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Of_two_statements_none_runs()
    {
        foreach (var sql in new[]
        {
            "select 1; select 2", "select 1; delete from items", "select 1; commit; delete from items", "commit; delete from items",
            "select 1 /* ; */ ; delete from items -- end",
        })
        {
            Assert.True((await Fails(sql)).Problem is WarehouseProblem.Refused or WarehouseProblem.Sql, sql);
        }

        Assert.Equal(3, await source.CountRows());
        Assert.Equal(1L, Assert.Single((await Query("select 1 -- one;")).Rows)[0]);
    }

    [Fact]
    public async Task A_missing_table_or_column_has_its_own_word_and_the_message_has_no_data()
    {
        Assert.Equal(WarehouseProblem.TableMissing, (await Fails("select 1 from nothing_here")).Problem);
        Assert.Equal(WarehouseProblem.ColumnMissing, (await Fails("select c4nary from items")).Problem);
        Assert.Equal(WarehouseProblem.Sql, (await Fails("selec 1")).Problem);
        foreach (var sql in new[] { "select c4nary from items", "select 'c4nary' from nothing_here", "select 'c4nary' 'c4nary' from from" })
        {
            Assert.DoesNotContain("c4nary", (await Fails(sql)).ToString());
        }
    }

    [Fact]
    public async Task The_warehouse_is_ready()
    {
        await using var warehouse = source.Create();
        var (state, detail) = await warehouse.Test(Ct);
        Assert.Equal(WarehouseState.Ok, state);
        // The user of the Postgres database is a superuser.
        Assert.Equal(warehouse.Type == "postgres" ? "The user of the connection is a superuser. Use a role that may only read." : null,
            detail);
    }

    [Fact]
    public async Task Sessions_beyond_the_limit_wait()
    {
        await using var warehouse = source.Create();
        var sessions = new List<WarehouseSession>();
        for (var i = 0; i < 8; i++)
        {
            sessions.Add(await warehouse.Open(new(), Ct));
        }

        var next = warehouse.Open(new(), Ct);
        await Assert.ThrowsAsync<TimeoutException>(() => next.WaitAsync(TimeSpan.FromMilliseconds(200), Ct));
        await sessions[0].DisposeAsync();
        sessions[0] = await next.WaitAsync(TimeSpan.FromSeconds(5), Ct);
        foreach (var session in sessions)
        {
            await session.DisposeAsync();
        }
    }
}
