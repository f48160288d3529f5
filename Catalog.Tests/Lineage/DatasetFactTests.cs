using System.Net;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Lineage;

[Trait("Category", "Fast")]
public sealed class DatasetFactsOnSqlite(SqliteTestDatabase database) : DatasetFactTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class DatasetFactsOnPostgres(PostgresTestDatabase database) : DatasetFactTests(database),
    IClassFixture<PostgresTestDatabase>;

public abstract class DatasetFactTests(TestDatabase database) : EndpointTestBase(database)
{
    private static readonly DateTimeOffset Day = new(2026, 2, 2, 6, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Facets_of_a_dataset_are_shown_with_the_history_of_its_schema()
    {
        await Event(0, """{ "schema": { "fields": [{ "name": "id", "type": "int" }] }, "documentation": { "description": "Old." } }""");
        // The event of minute 20 arrives before the event of minute 10. The order of receipt must not matter.
        await Event(20, """
            { "schema": { "fields": [{ "name": "id", "type": "bigint" }] }, "documentation": { "description": "Orders." },
              "ownership": { "owners": [{ "name": "team:b" }, { "name": "a" }, { "type": "nameless" }, 3] },
              "dataQualityMetrics": { "rowCount": 7, "columnMetrics": {} } }
            """);
        await Event(10, """{ "schema": { "fields": [{ "name": "id", "type": "int" }] } }""");

        var dataset = await Read("orders");

        Assert.Equal("""[{"name":"id","type":"bigint"}]""", dataset.GetProperty("schema").GetRawText());
        Assert.Equal(["""[{"name":"id","type":"bigint"}] 20 20""", """[{"name":"id","type":"int"}] 0 10"""],
            dataset.GetProperty("schema_history").EnumerateArray().Select(version => string.Join(' ',
                version.GetProperty("fields").GetRawText(), Minute(version, "first_seen"), Minute(version, "last_seen"))));
        Assert.Equal("Orders.", dataset.GetProperty("description").GetString());
        Assert.Equal("""["a","team:b"]""", dataset.GetProperty("owners").GetRawText());
        Assert.Equal(7, Assert.Single(dataset.GetProperty("quality_metrics").EnumerateArray()).GetProperty("metrics")
            .GetProperty("rowCount").GetInt32());
    }

    [Fact]
    public async Task A_removed_facet_is_absent_and_a_strange_one_does_no_harm()
    {
        await Event(0, """
            { "schema": { "fields": [{ "name": "id" }] }, "documentation": { "description": 3 }, "ownership": { "owners": "all" } }
            """);
        await Event(1, """{ "schema": { "_deleted": true } }""");

        var dataset = await Read("orders");

        Assert.False(dataset.TryGetProperty("schema", out var schema) && schema.ValueKind != JsonValueKind.Null);
        Assert.Equal(2, dataset.GetProperty("schema_history").GetArrayLength());
        Assert.False(dataset.TryGetProperty("description", out var text) && text.ValueKind != JsonValueKind.Null);
        Assert.Equal(0, dataset.GetProperty("owners").GetArrayLength());
    }

    [Fact]
    public async Task Lists_are_limited()
    {
        for (var i = 0; i < 25; i++)
        {
            await Event(i, $$"""
                { "schema": { "fields": [{ "name": "c{{i}}" }] }, "dataQualityMetrics": { "rowCount": {{i}}, "columnMetrics": {} } }
                """, rows: i);
        }

        var dataset = await Read("orders");

        Assert.Equal((10, 20, 20), (dataset.GetProperty("schema_history").GetArrayLength(),
            dataset.GetProperty("quality_metrics").GetArrayLength(), dataset.GetProperty("last_writes").GetArrayLength()));
        var write = dataset.GetProperty("last_writes")[0];
        Assert.Equal((24, 24), (write.GetProperty("row_count").GetInt32(), Minute(write, "at")));
    }

    [Fact]
    public async Task Every_name_of_a_dataset_finds_it()
    {
        await Event(0, $$"""
            { "symlinks": { "identifiers": [{ "namespace": "{{Name}}a", "name": "other", "type": "TABLE" }] } }
            """);
        var alias = await Read("orders");
        var (id, other) = (alias.GetProperty("id").GetString()!, alias.GetProperty("aliases")[0].GetString()!);
        Assert.Equal(new[] { $"{Name}a/other", $"{Name}/orders" }.Order(StringComparer.Ordinal),
            new[] { id, other }.Order(StringComparer.Ordinal));

        foreach (var path in new[] { "datasets/{0}", "lineage/{0}", "lineage?dataset={0}", "lineage/path?from={0}&to={0}",
            "lineage/{0}/impact", "datasets/{0}/readiness" })
        {
            var bodies = await Task.WhenAll(new[] { id, other }.Select(one =>
                Client.GetStringAsync("/api/v1/" + string.Format(path, Uri.EscapeDataString(one)), Ct)));
            Assert.Equal(bodies[0], bodies[1]);
        }
    }

    private static int Minute(JsonElement json, string name) => (int)(json.GetProperty(name).GetDateTimeOffset() - Day).TotalMinutes;

    private Task<JsonElement> Read(string dataset) => Client.GetJson($"/api/v1/datasets/{Uri.EscapeDataString($"{Name}/{dataset}")}");

    private async Task Event(int minute, string facets, int? rows = null) =>
        Assert.Equal(HttpStatusCode.Created, (await Send(HttpMethod.Post, "/api/v1/lineage", $$"""
            {
              "eventType": "COMPLETE", "eventTime": "{{Day.AddMinutes(minute):O}}", "run": { "runId": "{{Guid.NewGuid()}}" },
              "job": { "namespace": "{{Name}}", "name": "job" },
              "outputs": [{ "namespace": "{{Name}}", "name": "orders", "facets": {{facets}},
                "outputFacets": { "outputStatistics": { "rowCount": {{rows ?? 1}} } } }]
            }
            """)).StatusCode);
}
