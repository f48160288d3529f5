using Catalog.Data.Checks;
using Catalog.Tests.Support;
using Dapper;
using static Catalog.Tests.Checks.RandomCheckResults;

namespace Catalog.Tests.Checks;

public sealed class CheckStateOnPostgres(PostgresTestDatabase database) : CheckStateTests(database), IClassFixture<PostgresTestDatabase>
{
    // Another replica stores a failure at the same time. The pass must not lift the gate, although it was sent before
    // the failure was committed.
    [Fact]
    public async Task A_pass_that_waits_for_another_writer_sees_its_failure()
    {
        await Complete("r");
        await Send(Result("a", "fail", 1, "r"));
        await Meanwhile($"""
            update runs set updated_at = updated_at where organization_id = @organization;
            {Failure("b")}
            """, Result("a", "pass", 2, "r"));

        Assert.Equal(("failed", "b"), await Gate("r"));
    }

    [Fact]
    public async Task A_pass_that_waits_for_the_failure_of_its_own_check_lifts_the_gate()
    {
        await Meanwhile($"""
            insert into runs (organization_id, id, pipeline_id, status, gate_check_id, created_at, updated_at)
            values (@organization, 'r', 'nightly', 'failed', 'a', now(), now());
            {Failure("a")}
            """, Result("a", "pass", 2, "r"));

        Assert.Equal(("pending", null), await Gate("r"));
    }

    private static string Failure(string check) => $"""
        insert into check_results (organization_id, id, pipeline_id, check_id, run_id, status, severity, executed_at, request_hash, created_at)
        values (@organization, 'x', 'nightly', '{check}', 'r', 'fail', 'error', '2026-01-01', '', now());
        insert into check_states (organization_id, pipeline_id, check_id, result_id, run_id, status, severity, rank, executed_at)
        values (@organization, 'nightly', '{check}', 'x', 'r', 'fail', 'error', 4, '2026-01-01')
        """;

    private async Task Meanwhile(string sql, CheckResult posted)
    {
        await using var connection = await DedicatedPostgres.Open(Address);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await connection.ExecuteAsync(sql, new { organization = Organization }, transaction);
        var waiting = Send(posted);
        await Task.Delay(300, Ct);
        Assert.False(waiting.IsCompleted);
        await transaction.CommitAsync(Ct);
        await waiting;
    }
}
