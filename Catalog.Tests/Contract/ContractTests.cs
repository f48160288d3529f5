using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Contract;

public sealed class ContractOnSqlite(SqliteTestDatabase database) : ContractTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ContractOnPostgres(PostgresTestDatabase database) : ContractTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>
/// Requests generated from the OpenAPI document, checked with the rules of Schemathesis and RESTler: no 5xx; documented
/// status, type and body; invalid input is refused; valid input is accepted; 405 with Allow; 404 after delete; readable
/// after create; 401 without a key.
/// </summary>
public abstract class ContractTests(TestDatabase database) : EndpointTestBase(database, BillingSettings)
{
    // Billing is configured, but the organization is self-hosted, so no request goes to Stripe.
    private static readonly (string, string)[] BillingSettings =
    [
        ("DATAXPIPE_STRIPE_API", "http://127.0.0.1:9"), ("DATAXPIPE_STRIPE_SECRET_KEY", "sk_test_c4nary0123456789"),
        ("DATAXPIPE_STRIPE_WEBHOOK_SECRET", "whsec_c4nary0123456789"),
        ("DATAXPIPE_STRIPE_PRICE_TEAM", "price_1"), ("DATAXPIPE_STRIPE_PRICE_BUSINESS", "price_2"),
        ("DATAXPIPE_STRIPE_RETURN_URL", "https://catalog.example/"),
    ];

    private readonly List<string> _findings = [];

    [Theory]
    [InlineData(2_000)]
    [InlineData(10_000, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Generated_requests_get_documented_responses(int requests)
    {
        var document = await Prepare();
        var random = new Random(20261121);
        var sampler = new SchemaSampler(document, random);
        // These routes accept bodies of other tools of which they understand only a part, so an invalid body is not
        // always refused. The tests of these routes send invalid bodies.
        string[] others = ["PostLineageEvent", "PostLineageBatch", "PostDbtArtifacts", "PostTraces"];
        var operations = document.Operations
            .Where(operation => operation.NeedsKey && operation.Id != "TestConnection" && !others.Contains(operation.Id)).ToList();
        var broken = operations.SelectMany(operation => Broken(operation, sampler)).ToList();
        for (var i = 0; i < requests - broken.Count; i++)
        {
            var operation = operations[i % operations.Count];
            var body = operation.Body is null ? null : i < operations.Count ? operation.Example : Unique(sampler.Valid(operation.Body));
            // A patch that contains an id must contain the id of its path.
            (operation.Id == "PatchRun" ? body?.AsObject() : null)?.Remove("id");
            await Check(document, operation, Query(operation, sampler, random), body, broken: null, i);
        }

        foreach (var (operation, what, query, body) in broken)
        {
            await Check(document, operation, query, body, what, 0);
        }

        Assert.True(broken.Count > 300, $"{broken.Count} broken requests");
        Assert.True(_findings.Count == 0, $"{_findings.Count} findings:\n{string.Join('\n', _findings.Take(5))}");
        Assert.Empty(App.Log.At(LogLevel.Error));
    }

    [Fact]
    public async Task Undocumented_methods_are_405_with_Allow()
    {
        var document = await Prepare();
        foreach (var path in document.Operations.Where(operation => operation.NeedsKey).GroupBy(operation => operation.Path))
        {
            foreach (var method in new[] { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE" }.Except(
                path.Select(operation => operation.Method)))
            {
                var answer = await Send(new HttpMethod(method), Fill(path.Key, 0));

                Assert.True((int)answer.StatusCode == 405, $"{(int)answer.StatusCode} for curl -X {method} {path.Key}");
                await answer.Problem(405, "method_not_allowed");
                // Every GET also allows HEAD; the document states this once.
                var documented = path.Select(operation => operation.Method).SelectMany(verb => verb == "GET"
                    ? new[] { "GET", "HEAD" } : [verb]);
                Assert.Equal(documented.Order(), answer.Content.Headers.Allow.Order());
            }
        }
    }

    [Fact]
    public async Task Every_operation_refuses_a_missing_or_wrong_key()
    {
        var document = await Prepare();
        using var anonymous = App.Anonymous();
        foreach (var operation in document.Operations.Where(operation => operation.NeedsKey))
        {
            foreach (var key in new[] { null, "", "wrong", "dxp_0000000000" })
            {
                using var request = new HttpRequestMessage(new HttpMethod(operation.Method), Fill(operation.Path, 0));
                request.Content = operation.Body is null ? null : new StringContent("{}", Encoding.UTF8, "application/json");
                if (key is not null)
                {
                    request.Headers.TryAddWithoutValidation("X-API-KEY", key);
                }

                await (await anonymous.SendAsync(request, Ct)).Problem(401, "unauthorized");
            }
        }
    }

    [Theory]
    [InlineData("RegisterPipeline", "pipelines")]
    [InlineData("CreateCheck", "checks")]
    [InlineData("RegisterConnection", "connections")]
    public async Task A_created_object_can_be_read_and_a_deleted_object_is_404(string create, string collection)
    {
        var document = await Prepare();
        var operation = document.Operations.Single(operation => operation.Id == create);
        var body = operation.Example!.DeepClone().AsObject();
        body[create == "RegisterPipeline" ? "name" : "id"] = Name;
        body.Remove("pipeline_id");

        var created = await Send(HttpMethod.Post, $"/api/v1/{collection}/", body.ToJsonString());
        Assert.Equal(201, (int)created.StatusCode);
        Assert.Equal(200, (int)(await Send(HttpMethod.Get, created.Headers.Location!.OriginalString)).StatusCode);
        Assert.Equal(204, (int)(await Send(HttpMethod.Delete, $"/api/v1/{collection}/{Name}")).StatusCode);
        // What remains of a deleted pipeline can be read.
        string[] remaining = ["GetPipelineRemains", "GetPipelineVersion", "GetPipelineVersionChanges"];
        foreach (var related in document.Operations.Where(candidate => !remaining.Contains(candidate.Id)
            && candidate.Path.StartsWith($"/api/v1/{collection}/{{id}}", StringComparison.Ordinal)))
        {
            var example = related.Body is null ? null : related.Example!.ToJsonString();
            await (await Send(new HttpMethod(related.Method), related.Path.Replace("{id}", Name, StringComparison.Ordinal), example))
                .Problem(404, "not_found");
        }
    }

    [Fact]
    public async Task Every_body_has_an_example_that_matches_its_schema()
    {
        var document = await Prepare();
        Assert.All(document.Operations.Where(operation => operation.Body is not null), operation =>
        {
            Assert.NotNull(operation.Example);
            Assert.Null(document.Mismatch(operation.Example, operation.Body!));
        });
    }

    private async Task<ApiDocument> Prepare()
    {
        var document = new ApiDocument(JsonNode.Parse(await Client.GetStringAsync("/openapi/v1.json", Ct))!);
        await Client.PostJson("/api/v1/pipelines/", new { name = "contract", edges = new[] { new { from = "contract", to = "x" } } });
        await Client.PostJson("/api/v1/runs/", new { id = "contract", pipeline_id = "contract", status = "running" });
        await Client.PostJson("/api/v1/checks/", new { id = "contract", kind = "x" });
        await Client.PostJson(
            "/api/v1/checks/results", new { id = "contract", pipeline_id = "contract", check_id = "contract", status = "pass" });
        await Client.PostJson("/api/v1/connections/", new { id = "contract", type = "postgres", config = new { host = "h" } });
        return document;
    }

    private static IEnumerable<(Operation Operation, string What, string Query, JsonNode? Body)> Broken(
        Operation operation, SchemaSampler sampler)
    {
        foreach (var parameter in operation.Parameters("query"))
        {
            foreach (var (what, value) in SchemaSampler.Broken(parameter["schema"]!.AsObject()).Where(wrong =>
                wrong.Value is JsonValue
                && (wrong.What is not ("is boolean" or "is integer") || (string?)parameter["schema"]!["type"] != "string")))
            {
                if (what != "empty")
                {
                    yield return (operation, $"{parameter["name"]} {what}",
                        $"?{parameter["name"]}={Uri.EscapeDataString(value!.ToString())}", operation.Example);
                }
            }
        }

        if (operation.Body is { } body)
        {
            // Items of a bulk post are validated one by one, so only a single body is broken here.
            foreach (var (what, value) in sampler.Invalid(body["anyOf"]?[0] ?? body))
            {
                yield return (operation, what, "", value);
            }
        }
    }

    private static string Query(Operation operation, SchemaSampler sampler, Random random)
    {
        var chosen = operation.Parameters("query").Where(parameter => (string)parameter["name"]! is not ("cursor" or "format")
            && (random.Next(3) == 0 || (bool?)parameter["required"] == true)).ToList();
        return chosen.Count == 0
            ? "" : "?" + string.Join(
                '&', chosen.Select(parameter =>
                    $"{parameter["name"]}={Uri.EscapeDataString(sampler.Valid(parameter["schema"]!, "")?.ToString() ?? "")}"));
    }

    // An array must not contain the same name twice, so only its first item is sent; other conflicts are allowed.
    private static JsonNode? Unique(JsonNode? body) => body is JsonArray { Count: > 1 } array && array[0]?["name"] is not null
        ? new JsonArray(array[0]!.DeepClone()) : body;

    private static string Fill(string path, int i) => i % 3 == 2
        ? path.Replace("{id}", "nobody", StringComparison.Ordinal).Replace("{dataset}", "nobody", StringComparison.Ordinal)
            .Replace("{stage_name}", "s%2F1", StringComparison.Ordinal).Replace("{version}", "1", StringComparison.Ordinal)
        : path.Replace("{id}", "contract", StringComparison.Ordinal).Replace("{dataset}", "contract", StringComparison.Ordinal)
            .Replace("{stage_name}", $"stage-{i % 5}", StringComparison.Ordinal).Replace("{version}", $"{i % 3}", StringComparison.Ordinal);

    // A schema cannot say what the kind of a check requires, so these operations may refuse a body that matches the
    // schema.
    private static bool DependsOnKind(Operation operation, int status) =>
        status == 422 && operation.Id is ("CreateCheck" or "ReplaceCheck" or "RegisterPipeline");

    private async Task Check(ApiDocument document, Operation operation, string query, JsonNode? body, string? broken, int i)
    {
        // A DELETE uses an unknown id, because the other requests need the shared objects.
        var target = (operation.Method == "DELETE"
            ? operation.Path.Replace("{id}", $"gone-{i}", StringComparison.Ordinal) : Fill(operation.Path, i)) + query;
        var json = operation.Body is null ? null : body?.ToJsonString() ?? "null";
        var answer = await Send(new HttpMethod(operation.Method), target, json);
        var status = (int)answer.StatusCode;
        var text = await answer.Content.ReadAsStringAsync(Ct);
        var type = answer.Content.Headers.ContentType?.MediaType;
        var (documented, schema) = operation.Answer(status, type);
        var finding = status >= 500 ? "a 5xx"
            : !documented ? $"the answer {status} {type} is not documented"
            : broken is not null && status is not (400 or 404 or 422) ? $"accepted though broken ({broken})"
            : broken is null && status is not ((>= 200 and < 300) or 404 or 409) && !DependsOnKind(operation, status)
            ? "refused though valid"
            : schema is not null && document.Mismatch(JsonNode.Parse(text), schema) is { } mismatch
            ? $"the answer does not match its schema: {mismatch}"
            : null;
        if (finding is not null)
        {
            var quoted = json is null ? "" : $" -H 'Content-Type: application/json' -d {JsonSerializer.Serialize(json)}";
            _findings.Add(
                $"{operation.Id}: {finding}: {status} {text[..Math.Min(text.Length, 300)]}\n  curl -X {operation.Method} -H "
                    + $"'X-API-KEY: …'{quoted} 'http://localhost:8000{target}'");
        }
    }
}
