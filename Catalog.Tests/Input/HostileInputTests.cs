using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Input;

public sealed class HostileInputOnSqlite(SqliteTestDatabase database) : HostileInputTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class HostileInputOnPostgres(PostgresTestDatabase database) : HostileInputTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>Any input is stored and read back unchanged, or refused with a problem; it never causes a 5xx.</summary>
[Trait("Fault", "F25")]
public abstract class HostileInputTests : IDisposable
{
    private readonly CatalogApp _app;
    private readonly HttpClient _client;

    protected HostileInputTests(TestDatabase database)
    {
        _app = database.SharedService();
        _client = _app.Client();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_JSON_text_is_handled_as_a_body()
    {
        foreach (var file in RealInput.Files("hostile/json"))
        {
            foreach (var path in new[] { "/api/v1/pipelines/", "/api/v1/runs/", "/api/v1/checks/results" })
            {
                using var content = new ByteArrayContent(await File.ReadAllBytesAsync(file, Ct));
                content.Headers.ContentType = new("application/json");
                Assert.Null(await Unexpected(await _client.PostAsync(path, content, Ct), $"{path} {file}"));
            }
        }
    }

    [Fact]
    public async Task Every_JSON_text_is_stored_unchanged_or_refused_as_a_value()
    {
        await _client.PostJson("/api/v1/pipelines/", new { name = "hostile" });
        var (kept, refused) = (0, 0);
        foreach (var file in RealInput.Files("hostile/json"))
        {
            var value = await File.ReadAllBytesAsync(file, Ct);
            var id = Path.GetFileNameWithoutExtension(file);
            using var content = new ByteArrayContent(
                [.. "{\"id\":"u8, .. JsonSerializer.SerializeToUtf8Bytes(id),
                    .. ",\"pipeline_id\":\"hostile\",\"check_id\":\"c\",\"status\":\"pass\",\"observed_value\":"u8, .. value, .. "}"u8]);
            content.Headers.ContentType = new("application/json");

            var answer = await _client.PostAsync("/api/v1/checks/results", content, Ct);

            Assert.Null(await Unexpected(answer, file));
            if (!answer.IsSuccessStatusCode)
            {
                refused++;
                // The y_ texts of the suite are valid JSON and must be accepted.
                Assert.False(Path.GetFileName(file).StartsWith("y_", StringComparison.Ordinal), file);
                continue;
            }

            kept++;
            Assert.False(Path.GetFileName(file).StartsWith("n_", StringComparison.Ordinal), file);
            var stored = await _client.GetJson($"/api/v1/checks/results/{Uri.EscapeDataString(id)}");
            Assert.Equal(System.Text.Encoding.UTF8.GetString(value).Trim(' ', '\n', '\r', '\t'), stored.GetProperty("observed_value")
                .GetRawText());
        }

        Assert.True(kept > 20 && refused > 20, $"{kept} kept, {refused} refused");
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Every_naughty_string_is_handled_in_every_string_field()
    {
        var strings = JsonSerializer.Deserialize<string[]>(
            await File.ReadAllTextAsync(RealInput.Files("hostile").Single(file => file.EndsWith("strings.json", StringComparison.Ordinal)),
                Ct))!;
        await _client.PostJson("/api/v1/pipelines/", new { name = "hostile" });
        var stored = 0;
        for (var i = 0; i < strings.Length; i++)
        {
            var (text, tag) = (strings[i], $"s{i}-");
            stored += await RoundTrip(
                "/api/v1/pipelines/", new()
                {
                    ["name"] = tag + text,
                    ["description"] = text,
                    ["x-kept"] = text,
                    ["tags"] = new JsonArray(tag + text)
                }, "name", "/api/v1/pipelines/", tag + text);
            await RoundTrip(
                "/api/v1/pipelines/", new()
                {
                    ["name"] = text,
                    ["owner"] = text,
                    ["environment"] = text,
                    ["edges"] = new JsonArray(new JsonObject { ["from"] = text, ["to"] = tag })
                }, "name", "/api/v1/pipelines/", text);
            await RoundTrip(
                "/api/v1/runs/", new()
                {
                    ["id"] = tag + text,
                    ["pipeline_id"] = "hostile",
                    ["status"] = "failed",
                    ["error_message"] = text,
                    ["trigger"] = text,
                    ["metadata"] = new JsonObject { [tag] = text }
                }, "id", "/api/v1/runs/", tag + text);
            await RoundTrip(
                "/api/v1/checks/results", new()
                {
                    ["id"] = tag + text,
                    ["pipeline_id"] = "hostile",
                    ["check_id"] = tag + text,
                    ["status"] = "pass",
                    ["message"] = text,
                    ["dataset"] = tag + text,
                    ["observed_value"] = text
                }, "id",
                        "/api/v1/checks/results/", tag + text);
            foreach (var field in new[] { "status", "severity", "started_at", "executed_at", "external_url" })
            {
                Assert.Null(
                    await Unexpected(
                        await _client.PostJson(
                            "/api/v1/runs/", new JsonObject { ["pipeline_id"] = "hostile", ["status"] = "running", [field] = text }),
                                text));
            }

            foreach (var query in new[] { "pipelines/?q=", "pipelines/?owner=", "pipelines/?cursor=", "runs/?pipeline_id=", "runs/?since=",
                "runs/?status=", "checks/results?dataset=", "checks/results?limit=", "runs/" })
            {
                Assert.Null(await Unexpected(await _client.GetAsync("/api/v1/" + query + Uri.EscapeDataString(text), Ct), query + text));
            }
        }

        Assert.True(stored > strings.Length * 0.9, $"{stored} of {strings.Length} stored");
    }

    private async Task<int> RoundTrip(string path, JsonObject body, string idField, string readPath, string id)
    {
        var answer = await _client.PostJson(path, body);
        Assert.Null(await Unexpected(answer, body.ToJsonString()));
        if (!answer.IsSuccessStatusCode)
        {
            return 0;
        }

        var read = await _client.GetAsync(readPath + Uri.EscapeDataString(id), Ct);
        Assert.True(read.IsSuccessStatusCode, $"{(int)read.StatusCode} {readPath}{id}");
        var found = await read.Json();
        foreach (var (name, sent) in body.Where(field => field.Key is not ("status" or "tags" or "edges")))
        {
            Assert.Equal(sent!.ToJsonString(), JsonNode.Parse(found.GetProperty(name).GetRawText())!.ToJsonString());
        }

        Assert.Equal(id, found.GetProperty(idField).GetString());
        return 1;
    }

    // Describes an unexpected answer; null if the answer is a success or a 4xx problem.
    private async Task<string?> Unexpected(HttpResponseMessage answer, string what)
    {
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return (int)answer.StatusCode switch
        {
            < 300 => null,
            >= 400 and < 500 when answer.Content.Headers.ContentType?.MediaType == "application/problem+json" => null,
            var status => $"{status} for {what}: {text}\n{string.Join('\n', _app.Log.At(LogLevel.Error))}",
        };
    }

    public void Dispose()
    {
        _client.Dispose();
        GC.SuppressFinalize(this);
    }
}
