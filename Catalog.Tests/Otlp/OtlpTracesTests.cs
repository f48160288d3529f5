using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using Catalog.Data.Events;
using Catalog.Data.Otlp;
using Catalog.Tests.Support;

namespace Catalog.Tests.Otlp;

public sealed class OtlpTracesOnSqlite(SqliteTestDatabase database) : OtlpTracesTests(database), IClassFixture<SqliteTestDatabase>
{
    protected override TestDatabase New() => new SqliteTestDatabase();
}

public sealed class OtlpTracesOnPostgres(PostgresTestDatabase database) : OtlpTracesTests(database), IClassFixture<PostgresTestDatabase>
{
    protected override TestDatabase New() => new PostgresTestDatabase();
}

/// <summary>The receiver of OTLP/HTTP, with spans as dbt Fusion sends them.</summary>
public abstract class OtlpTracesTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Protobuf = "application/x-protobuf";
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string RunId = "0af76519-16cd-43dd-8448-eb211c80319c";

    private static readonly DateTimeOffset Now = new(2026, 9, 1, 0, 0, 0, TimeSpan.Zero);

    internal static readonly SpanExample[] Invocation =
    [
        new(Trace, "00000000000000a1", "Node(model.shop.sales)", 1, 2, ("unique_id", "model.shop.sales"),
            ("phase", "EXECUTION_PHASE_ANALYZE"), ("node_outcome", "NODE_OUTCOME_SUCCESS")),
        new(Trace, "00000000000000a2", "Node(model.shop.sales)", 3, 5, ("unique_id", "model.shop.sales"), ("phase", "Run"),
            ("node_outcome", "success"), ("rows_affected", 12)),
        new(Trace, "00000000000000a3", "Node processed (model.shop.sales)", 1, 6, ("unique_id", "model.shop.sales"),
            ("node_outcome", "NODE_OUTCOME_SUCCESS")),
        new(Trace, "00000000000000b1", "Node processed (model.shop.old)", 2, 3, ("unique_id", "model.shop.old"),
            ("node_outcome", "NODE_OUTCOME_SKIPPED"), ("node_skip_reason", "NODE_SKIP_REASON_CACHED")),
        new(Trace, "00000000000000b2", "Node processed (model.shop.next)", 2, 3, ("unique_id", "model.shop.next"),
            ("node_outcome", "NODE_OUTCOME_SKIPPED"), ("node_skip_reason", "NODE_SKIP_REASON_UPSTREAM")),
        new(Trace, "00000000000000b3", "Node processed (model.shop.bad)", 2, 3, ("unique_id", "model.shop.bad"),
            ("node_outcome", "NODE_OUTCOME_ERROR"))
        { IsError = true, Message = "no such table" },
        new(Trace, "00000000000000c1", "Node processed (test.shop.unique.1)", 6, 7, ("unique_id", "test.shop.unique.1"),
            ("node_outcome", "NODE_OUTCOME_SUCCESS"),
            ("node_outcome_detail", new (string, object)[] { ("test_outcome", "TEST_OUTCOME_FAILED"), ("failing_rows", 4) })),
        new(Trace, "00000000000000c2", "Node processed (test.shop.seen.2)", 6, 7, ("unique_id", "test.shop.seen.2"),
            ("node_outcome", "NODE_OUTCOME_SUCCESS"),
            ("node_outcome_detail", """{"NodeTestDetail":{"test_outcome":"TEST_OUTCOME_PASSED"}}""")),
        new(Trace, "00000000000000c3", "Node processed (test.shop.compiled.3)", 6, 7, ("unique_id", "test.shop.compiled.3"),
            ("node_outcome", "NODE_OUTCOME_SUCCESS")),
        new(Trace, "00000000000000d1", "Phase: RUN", 1, 8, ("phase", "EXECUTION_PHASE_RUN")),
        new(Trace, "00000000000000ff", "dbt invocation", 0, 9) { IsError = true, Message = "Executed with errors" },
    ];

    protected abstract TestDatabase New();

    [Theory]
    [InlineData("application/json")]
    [InlineData(Protobuf)]
    public async Task Spans_of_an_invocation_become_a_run_with_stages_and_check_results(string type)
    {
        using var client = await App.Organization(Name);
        client.DefaultRequestHeaders.Add("X-DBT-PROJECT", "shop");
        using var answer = await Post(client, type, Invocation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(type == Protobuf ? "" : "{}", await answer.Content.ReadAsStringAsync(Ct));

        var run = await client.GetJson($"/api/v1/runs/{RunId}");
        Assert.Equal(("dbt/shop", "failed"), (Text(run, "pipeline_id"), Text(run, "status")));
        Assert.EndsWith("Executed with errors", Text(run, "error_message"), StringComparison.Ordinal);
        Assert.Equal(("2026-03-01T10:00:00.000000Z", "2026-03-01T10:00:09.000000Z"), (Text(run, "started_at"), Text(run, "completed_at")));
        var stages = run.GetProperty("stages").EnumerateArray().ToDictionary(stage => Text(stage, "stage_name")!);
        Assert.Equal(7, stages.Count);
        Assert.Equal(("completed", 12), (Text(stages["model.shop.sales"], "status"),
            stages["model.shop.sales"].GetProperty("records_processed").GetInt32()));
        Assert.Equal("2026-03-01T10:00:06.000000Z", Text(stages["model.shop.sales"], "completed_at"));
        Assert.Equal("completed", Text(stages["model.shop.old"], "status"));
        Assert.Equal("skipped", Text(stages["model.shop.next"], "status"));
        Assert.Equal(("failed", "no such table"),
            (Text(stages["model.shop.bad"], "status"), Text(stages["model.shop.bad"], "error_message")));
        var results = (await client.GetJson($"/api/v1/checks/results?run_id={RunId}")).GetProperty("items").EnumerateArray()
            .ToDictionary(item => Text(item, "check_id")!);
        Assert.Equal(["test.shop.seen.2", "test.shop.unique.1"], results.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("fail", 4),
            (Text(results["test.shop.unique.1"], "status"), results["test.shop.unique.1"].GetProperty("failed_rows").GetInt32()));
        Assert.Equal("pass", Text(results["test.shop.seen.2"], "status"));
        Assert.Contains(Facets(await client.GetJson("/api/v1/lineage/facets")), facet => facet == ("event", "dbt", "unknown"));
    }

    [Fact]
    public async Task Both_encodings_give_equal_tables_and_a_repeat_changes_nothing()
    {
        using var json = JsonDocument.Parse(SpanExample.Json(Invocation));
        var fromJson = OtlpJson.Read(json.RootElement)!;
        var fromProtobuf = OtlpProtobuf.Read(SpanExample.Protobuf(Invocation))!;

        var expected = await Fold([Events(fromJson)]);

        Assert.Contains("dbt/dbt-fusion", expected);
        Assert.Equal(expected, await Fold([Events(fromProtobuf)]));
        Assert.Equal(expected, await Fold([Events(fromJson), Events(fromProtobuf)]));
        Assert.Equal(expected, await Fold([[.. Events(fromJson), .. Events(fromProtobuf)]]));
    }

    [Fact]
    public async Task An_invocation_in_several_requests_is_one_run_in_any_order()
    {
        List<IReadOnlyList<LoggedEvent>> parts = [.. Invocation.Where(span => span.SpanId != "00000000000000d1").Chunk(3)
            .Select(part => Events(OtlpProtobuf.Read(SpanExample.Protobuf(part))!))];
        var expected = RunsOf(await Fold(parts));

        Assert.Contains("Executed with errors", expected);
        Assert.Equal(expected, RunsOf(await Fold(parts.AsEnumerable().Reverse())));
        Assert.Equal(expected, RunsOf(await Fold([[.. parts.SelectMany(part => part)]])));
    }

    [Fact]
    public async Task Spans_of_other_programs_are_accepted_and_counted_by_scope()
    {
        using var client = await App.Organization(Name);
        SpanExample[] spans = [new(Trace.Replace('0', 'e'), "00000000000000a1", "GET /", 0, 1, ("http.route", "/"))];
        using var first = await client.PostAsync("/v1/traces",
            new StringContent(SpanExample.Json(spans, "shop", "web server"), Encoding.UTF8, "application/json"), Ct);
        using var again = await client.PostAsync("/v1/traces", new ByteArrayContent(SpanExample.Protobuf(spans, "shop", "web server"))
        {
            Headers = { ContentType = new(Protobuf) },
        }, Ct);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, again.StatusCode));
        var unread = await client.GetJson("/api/v1/lineage/facets");
        Assert.Equal([("event", "web server", "unknown")], Facets(unread));
        Assert.Equal(1, unread.GetProperty("items")[0].GetProperty("events").GetInt32());
    }

    [Fact]
    public async Task Spans_without_valid_ids_are_refused_and_the_others_are_stored()
    {
        using var client = await App.Organization(Name);
        SpanExample[] spans =
            [Invocation[^1], Invocation[^1] with { TraceId = new string('0', 32) }, Invocation[^1] with { SpanId = "00" }];
        using var json = await Post(client, "application/json", spans);
        using var protobuf = await Post(client, Protobuf, spans);

        var partial = (await json.Json()).GetProperty("partialSuccess");
        Assert.Equal("2", Text(partial, "rejectedSpans"));
        Assert.Contains("trace_id", Text(partial, "errorMessage"), StringComparison.Ordinal);
        var bytes = await protobuf.Content.ReadAsByteArrayAsync(Ct);
        // The bytes are field 1 (partial_success) with its field 1 (rejected_spans), which is 2.
        Assert.Equal([0x0a, (byte)(bytes.Length - 2), 0x08, 0x02], bytes[..4]);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/api/v1/runs/{RunId}", Ct)).StatusCode);
    }

    [Fact]
    public async Task Errors_are_statuses_in_the_encoding_of_the_request()
    {
        using var garbage = await Client.PostAsync("/v1/traces",
            new ByteArrayContent([0x0a, 0xff, 0xff, 0x01]) { Headers = { ContentType = new(Protobuf) } }, Ct);
        Assert.Equal((HttpStatusCode.BadRequest, Protobuf), (garbage.StatusCode, garbage.Content.Headers.ContentType!.MediaType));
        Assert.Contains("ExportTraceServiceRequest", await garbage.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        foreach (var body in new[] { "{", "[]", "5", """{"resourceSpans": {}}""" })
        {
            using var answer = await Send(HttpMethod.Post, "/v1/traces", body);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Equal(3, (await answer.Json()).GetProperty("code").GetInt32());
            Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        }

        using var text = await Client.PostAsync("/v1/traces", new StringContent("x", Encoding.UTF8, "text/plain"), Ct);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, text.StatusCode);
        using var anonymous = App.Anonymous();
        using var unknown = await Post(anonymous, Protobuf, Invocation);
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
        using var empty = await Send(HttpMethod.Post, "/v1/traces", "{}");
        Assert.Equal(HttpStatusCode.OK, empty.StatusCode);
    }

    [Fact]
    public async Task A_compressed_request_with_a_bearer_key_is_read()
    {
        using var buffer = new MemoryStream();
        await using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(SpanExample.Protobuf([Invocation[^1] with { TraceId = "1af7651916cd43dd8448eb211c80319c" }]), Ct);
        }

        using var anonymous = App.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/traces")
        {
            Content = new ByteArrayContent(buffer.ToArray()) { Headers = { ContentType = new(Protobuf), ContentEncoding = { "gzip" } } },
            Headers = { Authorization = new("Bearer", CatalogApp.Key) },
        };
        using var answer = await anonymous.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("failed", Text(await Client.GetJson("/api/v1/runs/1af76519-16cd-43dd-8448-eb211c80319c"), "status"));
    }

    [Fact]
    public async Task Hostile_bytes_are_refused_or_stored_without_errors()
    {
        var valid = SpanExample.Protobuf(Invocation);
        List<LoggedEvent> events = [];
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var bytes = valid.ToArray();
            for (var i = 0; i < 1 + seed / 100; i++)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            if (OtlpProtobuf.Read(bytes.AsMemory(0, seed % 3 == 0 ? random.Next(bytes.Length) : bytes.Length)) is { } spans)
            {
                events.AddRange(Events(spans));
            }
        }

        Assert.True(events.Count > 50);
        Assert.Contains(RunId, await Fold(events.Chunk(50)));
    }

    private static Task<HttpResponseMessage> Post(HttpClient client, string type, SpanExample[] spans) => client.PostAsync("/v1/traces",
        new ByteArrayContent(type == Protobuf ? SpanExample.Protobuf(spans) : Encoding.UTF8.GetBytes(SpanExample.Json(spans)))
        {
            Headers = { ContentType = new(type) },
        }, Ct);

    internal static IReadOnlyList<LoggedEvent> Events(SpanExample[] spans) => Events(OtlpProtobuf.Read(SpanExample.Protobuf(spans))!);

    private static IReadOnlyList<LoggedEvent> Events(OtlpSpans spans) => OtlpEvents.Of(spans.Spans, null, Now);

    private static string RunsOf(string tables) => tables[..tables.IndexOf("select subject", StringComparison.Ordinal)];

    private static IEnumerable<(string?, string?, string?)> Facets(JsonElement unread) =>
        [.. unread.GetProperty("items").EnumerateArray().Select(item => (Text(item, "place"), Text(item, "facet"), Text(item, "reason")))];

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private async Task<string> Fold(IEnumerable<IReadOnlyList<LoggedEvent>> batches)
    {
        await using var database = New();
        await database.InitializeAsync();
        var store = new EventStore(database.Require().Database);
        foreach (var batch in batches)
        {
            await store.Store([("default", batch)]);
        }

        return await FoldedTables.Read(database);
    }
}
