using Catalog.Data.Warehouses;
using Catalog.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Catalog.Tests.Warehouses;

/// <summary>Which files SQLite and DuckDB connections can reach.</summary>
[Trait("Category", "Fast")]
public sealed class WarehouseFilesTests(SqliteTestDatabase catalog) : IClassFixture<SqliteTestDatabase>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("catalog-files-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("../other/a.db")]
    [InlineData("a/../../other/a.db")]
    [InlineData("/etc/passwd")]
    [InlineData("./a.db")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("..")]
    [InlineData("...")]
    [InlineData("")]
    [InlineData("a\\b")]
    [InlineData("C:a")]
    [InlineData("a b")]
    [InlineData("a?mode=rwc")]
    [InlineData(":memory:")]
    [InlineData("file:a")]
    [InlineData("md:a")]
    [InlineData("a;b")]
    [InlineData("a\0b")]
    [InlineData("ä.db")]
    public void A_name_that_may_leave_the_folder_is_refused(string path)
    {
        Assert.False(WarehouseFiles.IsName(path));
        var problem = Assert.Throws<WarehouseException>(() => new WarehouseFiles(_folder).Find("acme", path));
        Assert.Equal(WarehouseProblem.Refused, problem.Problem);
        Assert.DoesNotContain(_folder, problem.Message);
    }

    [Fact]
    public void A_file_is_found_only_in_the_folder_of_its_organization()
    {
        var files = new WarehouseFiles(_folder);
        Directory.CreateDirectory(Path.Combine(_folder, "acme", "sales"));
        File.WriteAllText(Path.Combine(_folder, "acme", "sales", "2026.db"), "x");

        Assert.Equal(Path.Combine(_folder, "acme", "sales", "2026.db"), files.Find("acme", "sales/2026.db"));
        Assert.Equal(WarehouseProblem.DatabaseMissing,
            Assert.Throws<WarehouseException>(() => files.Find("other", "sales/2026.db")).Problem);
        Assert.Equal(WarehouseProblem.DatabaseMissing, Assert.Throws<WarehouseException>(() => files.Find("acme", "sales")).Problem);
        Assert.Equal(WarehouseProblem.Refused, Assert.Throws<WarehouseException>(() => files.Find("..", "acme/sales/2026.db")).Problem);
        Assert.Equal(WarehouseProblem.Refused,
            Assert.Throws<WarehouseException>(() => new WarehouseFiles(null).Find("acme", "sales/2026.db")).Problem);
    }

    [Fact]
    public async Task What_is_no_ordinary_file_is_refused_and_not_opened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        var pipe = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "acme")).FullName, "pipe.db");
        using var make = System.Diagnostics.Process.Start("mkfifo", pipe);
        await make.WaitForExitAsync(Ct);
        File.CreateSymbolicLink(Path.Combine(_folder, "acme", "zero.db"), "/dev/zero");
        File.WriteAllText(Path.Combine(_folder, "acme", "empty.db"), "");

        foreach (var name in new[] { "pipe.db", "zero.db", "empty.db" })
        {
            Assert.Equal(WarehouseProblem.Refused,
                Assert.Throws<WarehouseException>(() => new WarehouseFiles(_folder).Find("acme", name)).Problem);
            Assert.Equal(WarehouseState.Refused, await Test("sqlite", name));
            Assert.Equal(WarehouseState.Refused, await Test("duckdb", name));
        }
    }

    [Fact]
    public async Task A_locked_file_is_named_as_such()
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "acme")).FullName, "locked.db");
        await using var writer = new SqliteConnection($"Data Source={path};Pooling=False");
        await writer.OpenAsync(Ct);
        await using var command = writer.CreateCommand();
        command.CommandText = "create table t (a integer); begin exclusive";
        await command.ExecuteNonQueryAsync(Ct);
        await using var warehouse = new WarehouseFactory(new(true), new(_folder), null)
            .Create("acme", new() { Type = "sqlite", Path = "locked.db" });

        var (state, detail) = await warehouse.Test(Ct);

        Assert.Equal(WarehouseState.Unreachable, state);
        Assert.Contains("Another program writes to the file", detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_is_not_followed()
    {
        var files = new WarehouseFiles(_folder);
        Directory.CreateDirectory(Path.Combine(_folder, "acme"));
        Directory.CreateDirectory(Path.Combine(_folder, "other"));
        File.WriteAllText(Path.Combine(_folder, "other", "a.db"), "");
        File.CreateSymbolicLink(Path.Combine(_folder, "acme", "a.db"), Path.Combine(_folder, "other", "a.db"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "acme", "sub"), Path.Combine(_folder, "other"));

        Assert.Equal(WarehouseProblem.Refused, Assert.Throws<WarehouseException>(() => files.Find("acme", "a.db")).Problem);
        Assert.Equal(WarehouseProblem.Refused, Assert.Throws<WarehouseException>(() => files.Find("acme", "sub/a.db")).Problem);
    }

    [Fact]
    public async Task The_Catalogs_own_file_is_refused_also_as_a_copy()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "acme"));
        File.Copy(catalog.Address, Path.Combine(_folder, "acme", "copy.db"));
        File.WriteAllText(Path.Combine(_folder, "acme", "text.db"), "This is no database. It is a text that is longer than a header.");
        File.WriteAllText(Path.Combine(_folder, "acme", "empty.db"), "");

        Assert.Equal(WarehouseState.Refused, await Test("sqlite", "copy.db"));
        Assert.Equal(WarehouseState.DatabaseMissing, await Test("sqlite", "text.db"));
        Assert.Equal(WarehouseState.DatabaseMissing, await Test("duckdb", "text.db"));
        Assert.Equal(WarehouseState.DatabaseMissing, await Test("duckdb", "copy.db"));
        Assert.Equal(WarehouseState.DatabaseMissing, await Test("sqlite", "none.db"));
    }

    private async Task<WarehouseState> Test(string type, string path)
    {
        await using var warehouse = new WarehouseFactory(new(true), new(_folder), null).Create("acme", new() { Type = type, Path = path });
        return (await warehouse.Test(Ct)).State;
    }
}
