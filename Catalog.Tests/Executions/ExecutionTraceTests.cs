using System.Collections.Concurrent;
using System.Diagnostics;
using Catalog.Tests.Support;

namespace Catalog.Tests.Executions;

public sealed class ExecutionTracesOnSqlite(SqliteTestDatabase database)
    : ExecutionTraceTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ExecutionTracesOnPostgres(PostgresTestDatabase database)
    : ExecutionTraceTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>The spans of executions, when a listener records them.</summary>
public abstract class ExecutionTraceTests(TestDatabase database) : ExecutionTestBase(database)
{
    [Fact]
    public async Task An_execution_is_a_trace_with_its_organization_and_outcome()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Catalog",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await Pipeline("pass");

        var id = Text(await (await Execute()).Json(), "id");
        await Until(() => spans.Any(span => Equals(span.GetTagItem("catalog.execution.id"), id)), "The execution has no span.");

        var execution = spans.Single(span => Equals(span.GetTagItem("catalog.execution.id"), id));
        Assert.Equal("execution", execution.OperationName);
        Assert.Equal(default, execution.ParentSpanId);
        Assert.Equal("default", execution.GetTagItem("catalog.organization"));
        Assert.Equal("completed", execution.GetTagItem("catalog.execution.outcome"));
    }
}
