using Catalog.Data.Warehouses;
using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Warehouses;

[Trait("Category", "Fast")]
public sealed class WarehousePoolTests
{
    private static readonly WarehouseSettings Settings = new() { Type = "sqlite", Path = "a.db" };

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_warehouse_is_kept_for_its_organization_and_connection_until_it_changes()
    {
        await using var pool = new WarehousePool(new(new(true), new(null), null), _time);
        var first = pool.Get("acme", "c", Settings);

        Assert.Same(first, pool.Get("acme", "c", Settings with { }));
        Assert.NotSame(first, pool.Get("other", "c", Settings));
        Assert.NotSame(first, pool.Get("acme", "d", Settings));
        Assert.Equal(3, pool.Count);
        var changed = pool.Get("acme", "c", Settings with { Path = "b.db" });
        Assert.NotSame(first, changed);
        Assert.Equal(3, pool.Count);
    }

    [Fact]
    public async Task An_idle_warehouse_is_removed()
    {
        await using var pool = new WarehousePool(new(new(true), new(null), null), _time);
        var first = pool.Get("acme", "c", Settings);
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Same(first, pool.Get("acme", "c", Settings));
        _time.Advance(TimeSpan.FromMinutes(6));
        pool.Get("acme", "d", Settings);

        Assert.Equal(1, pool.Count);
        Assert.NotSame(first, pool.Get("acme", "c", Settings));
    }

    [Fact]
    public void A_configuration_is_never_printed()
    {
        var settings = new WarehouseSettings { Type = "mysql", Host = "h", User = "u", Password = "c4nary" };
        Assert.DoesNotContain("c4nary", $"{settings}");
        Assert.DoesNotContain("c4nary", new WarehouseFactory(new(true), new(null), null).Create("acme", settings).Display);
    }

    [Fact]
    public async Task A_type_without_a_driver_is_refused()
    {
        await using var pool = new WarehousePool(new(new(true), new(null), null), _time);
        var problem = Assert.Throws<WarehouseException>(() => pool.Get("acme", "c", new() { Type = "snowflake" }));
        Assert.Equal(WarehouseProblem.Refused, problem.Problem);
        Assert.Contains("the types postgres, mysql", problem.Message);
    }
}
