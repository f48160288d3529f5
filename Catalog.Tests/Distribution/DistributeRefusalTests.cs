using Catalog.Tests.Support;

namespace Catalog.Tests.Distribution;

/// <summary>The verb distribute on databases that cannot be distributed.</summary>
public abstract class DistributeRefusalTests(TestDatabase database)
{
    private readonly TestDatabase _database = database.Require();

    protected abstract string Reason { get; }

    [Theory]
    [InlineData("apply")]
    [InlineData("--dry-run")]
    public async Task A_database_without_Citus_is_refused_with_the_reason(string argument)
    {
        Assert.SkipWhen(await CitusServer.IsInstalled(_database.Address), "The databases of this server have Citus.");

        var result = await MigratorConsole.Run(_database.Address, "distribute", argument, "--json");

        Assert.Equal((1, "wrong_target"), (result.Exit, result.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains(Reason, result.Errors, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed.", result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("distribute")]
    [InlineData("distribute", "apply", "--dry-run")]
    [InlineData("distribute", "all")]
    [InlineData("distribute", "apply", "--shards", "0")]
    [InlineData("distribute", "apply", "--shards", "1025")]
    [InlineData("distribute", "apply", "--shards", "many")]
    public async Task A_wrong_command_line_is_refused(params string[] arguments) =>
        Assert.Equal(2, (await MigratorConsole.Run(_database.Address, arguments)).Exit);
}

public sealed class DistributeRefusalsOnSqlite(SqliteTestDatabase database)
    : DistributeRefusalTests(database), IClassFixture<SqliteTestDatabase>
{
    protected override string Reason => "SQLite cannot distribute tables";
}

public sealed class DistributeRefusalsOnPostgres(PostgresTestDatabase database)
    : DistributeRefusalTests(database), IClassFixture<PostgresTestDatabase>
{
    protected override string Reason => "extension citus";
}
