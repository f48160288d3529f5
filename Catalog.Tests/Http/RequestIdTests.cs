using Catalog.Tests.Support;

namespace Catalog.Tests.Http;

/// <summary>The id of a request in its answer, and the trace id in problems.</summary>
[Trait("Category", "Fast")]
public sealed class RequestIdTests(SqliteTestDatabase database)
    : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Fact]
    public async Task Answers_have_a_request_id_and_problems_the_trace_of_the_caller()
    {
        Assert.Equal(
            "mine-1", Assert.Single((await Send(HttpMethod.Get, "/health", null, ("X-Request-Id", "mine-1")))
                .Headers.GetValues("X-Request-Id")));
        var odd = Assert.Single((await Send(HttpMethod.Get, "/health", null, ("X-Request-Id", "a b<script>")))
            .Headers.GetValues("X-Request-Id"));
        Assert.DoesNotContain("script", odd);
        var problem = await (
            await Send(HttpMethod.Get, "/nothing", null, ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")))
                .Problem(404, "not_found");
        Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", problem.GetProperty("trace_id").GetString());
    }
}
