using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Database;

[Trait("Category", "Fast")]
public sealed class StatementEchosOnSqlite(SqliteTestDatabase database) : StatementEchoTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class StatementEchosOnPostgres(PostgresTestDatabase database)
    : StatementEchoTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary><c>DATAXPIPE_DB_ECHO</c> logs the statements.</summary>
public abstract class StatementEchoTests(TestDatabase database) : EndpointTestBase(database, ("DATAXPIPE_DB_ECHO", "true"))
{
    [Fact]
    public async Task Echo_logs_statements_with_their_duration_and_without_values()
    {
        await Register();

        var lines = App.Log.At(LogLevel.Information).ToList();
        Assert.Contains(lines, line => line.Contains(" ms: -- PipelineRegistration.Lock", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains(Name, StringComparison.Ordinal));
    }

    private Task<HttpResponseMessage> Register() => Client.PostJson("/api/v1/pipelines/", new { name = Name });
}
