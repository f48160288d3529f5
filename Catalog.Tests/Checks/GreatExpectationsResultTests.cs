using System.Collections.Concurrent;
using System.Text.Json;
using Catalog.Tests.Support;

namespace Catalog.Tests.Checks;

[Trait("Category", "Fast")]
public sealed class GreatExpectationsResultsOnSqlite(SqliteTestDatabase database) : GreatExpectationsResultTests(database),
    IClassFixture<SqliteTestDatabase>;

public sealed class GreatExpectationsResultsOnPostgres(PostgresTestDatabase database) : GreatExpectationsResultTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>
/// Great Expectations validation results posted as check results: none is lost, duplicated or changed.
/// </summary>
public abstract class GreatExpectationsResultTests(TestDatabase database)
{
    [Fact]
    public async Task Every_validation_result_is_stored_once_even_if_sent_twice()
    {
        var ct = TestContext.Current.CancellationToken;
        using var app = new CatalogApp(database.Require());
        using var client = app.Client();
        await client.PostJson("/api/v1/pipelines/", new { name = "titanic" });
        var posts = RealInput.Files("gx/validation_results").SelectMany(Results).ToList();
        Assert.True(posts.Count > 100);

        var outcomes = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(posts.Concat(posts), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = ct },
            async (post, _) =>
        {
            var answer = await client.PostJson("/api/v1/checks/results", post);
            Assert.True((int)answer.StatusCode is 200 or 201, await answer.Content.ReadAsStringAsync(ct));
            outcomes.Add((await answer.Json()).GetProperty("outcome").GetString()!);
        });

        Assert.Equal(posts.Count, outcomes.Count(outcome => outcome == "stored"));
        Assert.Equal(posts.Count, outcomes.Count(outcome => outcome == "duplicate"));
        var stored = new Dictionary<string, JsonElement>();
        string? cursor = null;
        do
        {
            var page = await client.GetJson(
                "/api/v1/checks/results?pipeline_id=titanic&limit=40" + (cursor is null ? "" : $"&cursor={cursor}"));
            foreach (var item in page.GetProperty("items").EnumerateArray())
            {
                stored.Add(item.GetProperty("id").GetString()!, item);
            }

            cursor = page.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        Assert.Equal(posts.Count, stored.Count);
        foreach (var post in posts)
        {
            var item = stored[(string)post["id"]!];
            Assert.Equal(post["status"], item.GetProperty("status").GetString());
            foreach (var field in new[] { "observed_value", "expected", "metadata" })
            {
                Assert.Equal(((JsonElement?)post[field])?.GetRawText() ?? "null", item.GetProperty(field).GetRawText());
            }
        }
    }

    private static IEnumerable<Dictionary<string, object?>> Results(string file)
    {
        var suite = JsonDocument.Parse(File.ReadAllText(file)).RootElement;
        foreach (var (index, result) in suite.GetProperty("results").EnumerateArray().Index())
        {
            var config = result.GetProperty("expectation_config");
            var raised = result.TryGetProperty("exception_info", out var info) && info.TryGetProperty("raised_exception", out var flag)
                && flag.GetBoolean();
            var measured = result.TryGetProperty("result", out var body) ? body : default;
            yield return new()
            {
                ["id"] = $"{Path.GetFileNameWithoutExtension(file)}-{index}",
                ["pipeline_id"] = "titanic",
                ["check_id"] = (config.TryGetProperty("type", out var type) ? type : config.GetProperty("expectation_type")).GetString(),
                ["run_id"] = Path.GetFileNameWithoutExtension(file),
                ["status"] = raised ? "error" : result.GetProperty("success").GetBoolean() ? "pass" : "fail",
                ["observed_value"] = Compact(measured.ValueKind == JsonValueKind.Object
                    && measured.TryGetProperty("observed_value", out var observed) ? observed : default),
                ["expected"] = Compact(config.GetProperty("kwargs")),
                ["metadata"] = Compact(measured.ValueKind == JsonValueKind.Object ? measured : default),
            };
        }
    }

    // Serializes the value as the client does, so that raw texts can be compared.
    private static JsonElement? Compact(JsonElement element) =>
        element.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null
            ? null : JsonDocument.Parse(JsonSerializer.Serialize(element, JsonSerializerOptions.Web)).RootElement;
}
