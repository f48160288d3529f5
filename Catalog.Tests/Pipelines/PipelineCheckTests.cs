using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.Pipelines;

[Trait("Category", "Fast")]
public sealed class PipelineChecksOnSqlite(SqliteTestDatabase database) : PipelineCheckTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class PipelineChecksOnPostgres(PostgresTestDatabase database) : PipelineCheckTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>Checks in the bodies of pipelines: with a connection they follow the rules of POST /checks/.</summary>
public abstract class PipelineCheckTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Path = "/api/v1/pipelines/";

    [Theory]
    [InlineData("\"kind\":\"row_cuont\"", "/kind")]
    [InlineData("\"severity\":\"warn\"", "/kind")]
    [InlineData("\"kind\":\"range\",\"column\":\"a\",\"params\":{\"mim\":1,\"max\":2}", "/params/mim")]
    [InlineData("\"kind\":\"not_null\",\"column\":7", "/column")]
    [InlineData("\"kind\":\"row_count\",\"schedule\":\"each day\"", "/schedule")]
    [InlineData("\"sql\":\"checks/orders.sql\"", "/sql")]
    public async Task A_check_with_a_connection_must_be_one_that_the_Catalog_can_run(string fields, string pointer)
    {
        string Body(string connection) => $$"""
            {"name":"{{Name}}","checks":[{"id":"a"},{"id":"b","kind":"other"},{"id":"c"},{"id":"d","dataset":"t",{{connection}}"x_note":1,{{fields}} }]}
            """;
        string[] Pointers(System.Text.Json.JsonElement problem) =>
            [.. problem.GetProperty("errors").EnumerateObject().Select(error => error.Name)];

        const string Connection = "\"connection_id\":\"w\",";
        Assert.Equal([$"/checks/3{pointer}"],
            Pointers(await (await Send(HttpMethod.Post, Path, Body(Connection))).Problem(422, "invalid")));
        Assert.Equal([$"/1/checks/3{pointer}"], Pointers(await (await Send(HttpMethod.Post, Path,
            $$"""[{"name":"{{Name}}-first"},{{Body(Connection)}}]""")).Problem(422, "invalid")));
        Assert.Equal(HttpStatusCode.Created, (await Send(HttpMethod.Post, Path, Body(""))).StatusCode);
    }

    [Fact]
    public async Task Unknown_fields_of_a_check_with_a_connection_are_kept()
    {
        var body = $$"""{"name":"{{Name}}","checks":[{"id":"a","kind":"row_count","dataset":"t","connection_id":"w","x_note":{"b":[1]} }]}""";

        Assert.Equal(HttpStatusCode.Created, (await Send(HttpMethod.Post, Path, body)).StatusCode);

        Assert.Contains("\"x_note\":{\"b\":[1]}", await (await Send(HttpMethod.Get, Path + Name)).Content.ReadAsStringAsync(Ct),
            StringComparison.Ordinal);
    }
}
