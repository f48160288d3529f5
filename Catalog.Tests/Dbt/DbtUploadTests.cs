using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Tests.Support;

namespace Catalog.Tests.Dbt;

public sealed class DbtUploadsOnSqlite(SqliteTestDatabase database) : DbtUploadTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class DbtUploadsOnPostgres(PostgresTestDatabase database) : DbtUploadTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>Uploads of dbt artifacts, as CI jobs send them.</summary>
public abstract class DbtUploadTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Route = "/api/v1/dbt/artifacts";

    [Fact]
    public async Task One_upload_gives_the_run_its_stages_check_results_and_lineage()
    {
        using var client = await App.Organization(Name);
        var answer = await Post(client, DbtExample.Upload("shop", "i-1"));

        Assert.Equal("stored", answer.GetProperty("outcome").GetString());
        Assert.Equal("dbt/shop", answer.GetProperty("pipeline_id").GetString());
        Assert.Equal("i-1", answer.GetProperty("run_id").GetString());
        Assert.Equal((6, 3, 4, 3), (Count(answer, "stages"), Count(answer, "results"), Count(answer, "datasets"), Count(answer, "edges")));

        var run = await client.GetJson("/api/v1/runs/i-1");
        Assert.Equal("failed", run.GetProperty("status").GetString());
        Assert.Equal("2026-03-01T10:00:00.000000Z", run.GetProperty("started_at").GetString());
        Assert.Equal("2026-03-01T10:00:30.500000Z", run.GetProperty("completed_at").GetString());
        Assert.Equal(43, run.GetProperty("records_processed").GetInt64());
        var stages = run.GetProperty("stages").EnumerateArray().ToDictionary(stage => stage.GetProperty("stage_name").GetString()!);
        Assert.Equal("completed", stages["model.shop.sales"].GetProperty("status").GetString());
        Assert.Equal(40, stages["model.shop.sales"].GetProperty("records_processed").GetInt64());
        Assert.Equal("2026-03-01T10:00:01.000000Z", stages["seed.shop.rates"].GetProperty("started_at").GetString());
        Assert.Equal("failed", stages["test.shop.not_null_sales_day.1"].GetProperty("status").GetString());
        Assert.Equal("completed", stages["test.shop.relation.2"].GetProperty("status").GetString());
        Assert.Equal("skipped", stages["test.shop.skipped.4"].GetProperty("status").GetString());
    }

    [Fact]
    public async Task Tests_become_check_results_of_the_dataset_that_they_are_about()
    {
        using var client = await App.Organization(Name);
        await Post(client, DbtExample.Upload("shop", "i-2"));

        var items = await client.GetJson("/api/v1/checks/results?pipeline_id=dbt%2Fshop");
        var results = items.GetProperty("items").EnumerateArray().ToDictionary(item => item.GetProperty("check_id").GetString()!);

        Assert.Equal(3, results.Count);
        var failed = results["test.shop.not_null_sales_day.1"];
        Assert.Equal(("fail", "error", 2L, "postgres/db.mart.sales"), (Text(failed, "status"), Text(failed, "severity"),
            failed.GetProperty("failed_rows").GetInt64(), Text(failed, "dataset")));
        Assert.Equal("2026-03-01T10:00:09.000000Z", Text(failed, "executed_at"));
        var warned = results["test.shop.relation.2"];
        Assert.Equal(("warn", "warn", 7L, "postgres/db.mart.sales"), (Text(warned, "status"), Text(warned, "severity"),
            warned.GetProperty("failed_rows").GetInt64(), Text(warned, "dataset")));
        var broken = results["test.shop.broken.3"];
        Assert.Equal(("error", "no such column", "postgres/mart.rates"),
            (Text(broken, "status"), Text(broken, "message"), Text(broken, "dataset")));
    }

    [Fact]
    public async Task Ephemeral_models_are_passed_through_and_exposures_are_consumers()
    {
        using var client = await App.Organization(Name);
        await Post(client, DbtExample.Upload("shop", "i-3"));

        var graph = await client.GetJson("/api/v1/lineage?dataset=postgres%2Fdb.raw.orders_2026&direction=downstream");

        Assert.Equal(
            ["dbt/exposure.shop.weekly", "postgres/db.mart.sales", "postgres/db.raw.orders_2026"],
            graph.GetProperty("nodes").EnumerateArray().Select(node => Text(node, "id")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_second_upload_of_an_invocation_changes_nothing_in_either_form()
    {
        using var client = await App.Organization(Name);
        await Post(client, DbtExample.Upload("shop", "i-4"));
        var before = await FoldedTables.Read(Database);

        using var form = Form(("manifest", DbtExample.Manifest("shop")), ("run_results", DbtExample.RunResults("i-4")));
        using var again = await client.PostAsync(Route, form, Ct);
        var answer = await again.Json();

        Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        Assert.Equal("duplicate", Text(answer, "outcome"));
        Assert.Equal(before, await FoldedTables.Read(Database));
    }

    [Fact]
    public async Task Files_and_fields_of_a_form_are_read_with_the_namespace()
    {
        using var client = await App.Organization(Name);
        using var form = Form(("run_results", DbtExample.RunResults("i-5")), ("sources", DbtExample.Sources("i-6")),
            ("catalog", DbtExample.Catalog("i-7")));
        form.Add(new StringContent("\uFEFF" + DbtExample.Manifest("shop").ToJsonString(), Encoding.UTF8, "application/json"), "manifest");
        form.Add(new StringContent("postgres://db.example:5432"), "namespace");
        form.Add(new StringContent("ignored"), "comment");
        using var answer = await client.PostAsync(Route, form, Ct);
        Assert.Equal(5, Count(await answer.Json(), "results"));

        var items = await client.GetJson("/api/v1/checks/results?pipeline_id=dbt%2Fshop&check_id=freshness.source.shop.raw.orders");
        var late = Assert.Single(items.GetProperty("items").EnumerateArray());
        Assert.Equal(("fail", 7200.5), (Text(late, "status"), late.GetProperty("observed_value").GetDouble()));
        Assert.Equal("postgres://db.example:5432/db.raw.orders_2026", Text(late, "dataset"));
        Assert.Equal(JsonValueKind.Null, late.TryGetProperty("run_id", out var run) ? run.ValueKind : JsonValueKind.Null);
        var tables = await FoldedTables.Read(Database);
        Assert.Contains("""{"fields":[{"name":"DAY","type":"DATE","description":"The day"},{"name":"AMOUNT","type":"NUMBER"}]}""", tables);
        Assert.Contains("""{"rowCount":40}""", tables);
        Assert.Contains("""{"description":"Sales by day"}""", tables);
        Assert.Contains("""{"owners":[{"name":"finance"}]}""", tables);
        Assert.Contains("""{"key":"größe","value":"true","source":"DBT"}""", tables);
    }

    [Theory]
    [InlineData("generate")]
    [InlineData("compile")]
    public async Task A_command_that_executes_nothing_gives_lineage_and_no_run(string which)
    {
        using var client = await App.Organization(Name);
        var answer = await Post(client, DbtExample.Upload("shop", "i-8", which));

        Assert.Equal(JsonValueKind.Null, answer.GetProperty("run_id").ValueKind);
        Assert.Equal((0, 0, 4, 3), (Count(answer, "stages"), Count(answer, "results"), Count(answer, "datasets"), Count(answer, "edges")));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/api/v1/runs/i-8", Ct)).StatusCode);
    }

    [Fact]
    public async Task Secrets_and_sql_of_the_artifacts_are_not_kept()
    {
        using var client = await App.Organization(Name);
        await Post(client, DbtExample.Upload("shop", "i-9"));

        var bodies = await Database.Bodies(Name);

        Assert.Contains("model.shop.sales", bodies);
        Assert.DoesNotContain("hidden", bodies);
    }

    [Fact]
    public async Task A_compressed_upload_is_read()
    {
        using var client = await App.Organization(Name);
        using var buffer = new MemoryStream();
        await using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(DbtExample.Upload("shop", "i-10").ToJsonString()), Ct);
        }

        using var content = new ByteArrayContent(buffer.ToArray())
        {
            Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } },
        };
        using var answer = await client.PostAsync(Route, content, Ct);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Theory]
    [InlineData("""{}""", "/manifest", "/run_results")]
    [InlineData("""{"manifest": null, "run_results": 5}""", "/manifest", "/run_results")]
    [InlineData("""
        {"manifest": {}, "run_results": {"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v1.json"}}}
        """, "/manifest/metadata/dbt_schema_version", "/run_results/metadata/dbt_schema_version")]
    [InlineData("""
        {"manifest": {"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v0.json"}},
         "run_results": {"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"}, "results": {}}}
        """, "/manifest/metadata/dbt_schema_version", "/run_results/results")]
    [InlineData("[]", "")]
    [InlineData("""{"namespace": 5}""", "/namespace")]
    public async Task What_is_no_artifact_is_refused_with_its_place(string body, params string[] pointers)
    {
        var problem = await (await Send(HttpMethod.Post, Route, body)).Problem(422, "invalid");

        Assert.Equal(pointers, problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
    }

    [Fact]
    public async Task A_form_that_is_cut_off_or_no_json_is_refused()
    {
        using var broken = new ByteArrayContent("--b\r\nContent-Disposition: form-data; name=manifest\r\n\r\n{"u8.ToArray())
        {
            Headers = { ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b") },
        };
        await (await Client.PostAsync(Route, broken, Ct)).Problem(400, "malformed");

        using var none = new ByteArrayContent([]) { Headers = { ContentType = MediaTypeHeaderValue.Parse("multipart/form-data") } };
        await (await Client.PostAsync(Route, none, Ct)).Problem(400, "malformed");

        using var text = new MultipartFormDataContent { { new StringContent("select 1"), "manifest" } };
        await (await Client.PostAsync(Route, text, Ct)).Problem(400, "malformed");

        using var twice = Form(("manifest", DbtExample.Manifest("shop")), ("manifest", DbtExample.Manifest("shop")));
        await (await Client.PostAsync(Route, twice, Ct)).Problem(422, "invalid");

        using var other = new StringContent("x", Encoding.UTF8, "text/plain");
        await (await Client.PostAsync(Route, other, Ct)).Problem(415, "unsupported_media_type");
    }

    private static async Task<JsonElement> Post(HttpClient client, JsonObject upload)
    {
        using var content = new StringContent(upload.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(Route, content, Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(Ct));
        return await answer.Json();
    }

    private static MultipartFormDataContent Form(params (string Name, JsonObject Artifact)[] files)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, artifact) in files)
        {
            form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(artifact.ToJsonString())), name, $"{name}.json");
        }

        return form;
    }

    private static int Count(JsonElement json, string name) => json.GetProperty(name).GetInt32();

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}
