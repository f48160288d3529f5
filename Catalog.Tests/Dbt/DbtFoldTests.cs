using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Data.Dbt;
using Catalog.Data.Events;
using Catalog.Tests.Support;

namespace Catalog.Tests.Dbt;

public sealed class DbtFoldOnSqlite : DbtFoldTests
{
    protected override TestDatabase New() => new SqliteTestDatabase();
}

public sealed class DbtFoldOnPostgres : DbtFoldTests
{
    protected override TestDatabase New() => new PostgresTestDatabase();
}

/// <summary>The order and repetition of uploads do not change the tables, and hostile artifacts do not break them.</summary>
public abstract class DbtFoldTests
{
    private static readonly DateTimeOffset Now = new(2026, 9, 1, 0, 0, 0, TimeSpan.Zero);

    internal static IReadOnlyList<LoggedEvent> Examples =>
        [Example("i-1", "2026-03-01T10:00:00Z"), Example("i-2", "2026-03-02T10:00:00Z")];

    protected abstract TestDatabase New();

    [Theory]
    [InlineData("manifest_v4", "run_results_v4", null, 29, 20, 8, 5)]
    [InlineData("manifest_v11", "run_results_v5", null, 58, 20, 38, 33)]
    [InlineData("manifest_1.12", "run_results_1.12_docs_generate", "catalog_1.12", 0, 0, 19, 17)]
    public async Task A_real_upload_is_stored_once(
        string manifest, string results, string? catalog, int stages, int checks, int datasets, int edges)
    {
        var upload = Real(manifest, results, catalog);
        Assert.Equal((stages, checks, datasets, edges), (upload.Report.RunEvents.Sum(run => run.Stages.Count), upload.Report.Results.Count,
            upload.Report.Datasets.Count, upload.Report.Edges.Count));

        var once = await Fold([upload]);

        Assert.Contains("dbt/jaffle_shop", once);
        Assert.Equal(once, await Fold([upload, upload]));
        Assert.Equal(once, await Fold([upload], [upload]));
    }

    [Fact]
    public async Task Uploads_of_several_invocations_give_equal_tables_in_any_order()
    {
        LoggedEvent[] uploads =
        [
            Real("manifest_v4", "run_results_v4", null), Real("manifest_v11", "run_results_v5", null),
            Real("manifest_1.12", "run_results_1.12_docs_generate", "catalog_1.12"),
            Example("i-1", "2026-03-01T10:00:00Z"), Example("i-2", "2026-03-02T10:00:00Z"),
        ];
        var expected = await Fold([.. uploads.Select(upload => new[] { upload })]);

        foreach (var seed in Enumerable.Range(0, 3))
        {
            var shuffled = uploads.Append(uploads[seed]).ToArray();
            new Random(seed).Shuffle(shuffled);

            Assert.Equal(expected, await Fold([.. shuffled.Chunk(seed + 1)]));
        }
    }

    [Fact]
    public async Task Hostile_artifacts_are_stored_without_errors()
    {
        List<LoggedEvent> uploads = [];
        for (var seed = 0; seed < 60; seed++)
        {
            var upload = DbtExample.Upload("shop", $"h-{seed}");
            upload["sources"] = DbtExample.Sources($"hs-{seed}");
            upload["catalog"] = DbtExample.Catalog($"hc-{seed}");
            Mutate(upload, new Random(seed));
            if (Read(upload.ToJsonString()) is { } read)
            {
                uploads.Add(read);
            }
        }

        Assert.True(uploads.Count > 20);
        Assert.Contains("h-", await Fold([.. uploads.Chunk(7)]));
    }

    [Fact]
    public async Task A_large_project_with_a_long_chain_of_ephemeral_models_is_stored()
    {
        var upload = DbtExample.Upload("shop", "large");
        var nodes = upload["manifest"]!["nodes"]!.AsObject();
        var results = upload["run_results"]!["results"]!.AsArray();
        for (var i = 0; i < 3000; i++)
        {
            nodes[$"model.shop.e{i}"] = JsonNode.Parse($$"""
                {"resource_type": "model", "config": {"materialized": "ephemeral"},
                 "depends_on": {"nodes": ["model.shop.e{{(i + 1) % 3000}}"] } }
                """);
            nodes[$"model.shop.m{i}"] = JsonNode.Parse($$"""
                {"resource_type": "model", "name": "m{{i}}", "depends_on": {"nodes": ["model.shop.m{{i / 2}}", "model.shop.e{{i}}"] } }
                """);
            results.Add(JsonNode.Parse($$"""{"unique_id": "model.shop.m{{i}}", "status": "success"}"""));
        }

        var read = Read(upload.ToJsonString())!;

        Assert.Equal((3004, 3006), (read.Report.Datasets.Count, read.Report.RunEvents[0].Stages.Count));
        Assert.Contains("model.shop.m2999", await Fold([read]));
    }

    [Fact]
    public void The_project_of_an_old_manifest_is_the_package_whose_hash_it_names()
    {
        var upload = DbtExample.Upload("shop", "old");
        upload["manifest"]!["metadata"]!.AsObject().Remove("project_name");
        upload["manifest"]!["metadata"]!["project_id"] = "06e5b98c2db46f8a72cc4f66410e9b3b";
        upload["manifest"]!["nodes"]!["seed.shop.rates"]!["package_name"] = "jaffle_shop";

        Assert.Equal("dbt/jaffle_shop", Read(upload.ToJsonString())!.Report.Jobs[0].PipelineId);
    }

    [Fact]
    public void A_later_version_is_read_and_counted()
    {
        var upload = DbtExample.Upload("shop", "later");
        upload["manifest"]!["metadata"]!["dbt_schema_version"] = "https://schemas.getdbt.com/dbt/manifest/v20.json";

        var report = Read(upload.ToJsonString())!.Report;

        Assert.Equal(4, report.Datasets.Count);
        Assert.Contains(report.Unread, part => part.Facet == "manifest v20");
        Assert.Contains(report.Unread, part => part.Facet == "metrics");
    }

    private static LoggedEvent Example(string invocation, string at)
    {
        var upload = DbtExample.Upload("shop", invocation);
        upload["run_results"]!["metadata"]!["generated_at"] = at;
        // The model is gone in the second invocation.
        if (invocation == "i-2")
        {
            upload["manifest"]!["nodes"]!.AsObject().Remove("model.shop.clean");
        }

        return Read(upload.ToJsonString())!;
    }

    private static LoggedEvent Real(string manifest, string results, string? catalog)
    {
        var files = RealInput.Files("dbt").ToDictionary(file => Path.GetFileNameWithoutExtension(file)!, File.ReadAllText);
        var added = catalog is null ? "" : $", \"catalog\": {files[catalog]}";
        return Read($"{{\"manifest\": {files[manifest]}, \"run_results\": {files[results]}{added}}}")!;
    }

    private static LoggedEvent? Read(string text)
    {
        using var json = JsonDocument.Parse(text);
        JsonElement? Member(string name) => json.RootElement.TryGetProperty(name, out var value) ? value : null;
        var (upload, errors) = new DbtArtifacts
        {
            Manifest = Member("manifest"),
            RunResults = Member("run_results"),
            Sources = Member("sources"),
            Catalog = Member("catalog"),
        }.Read(Now);
        Assert.True((upload is null) != (errors is null));
        return upload;
    }

    private async Task<string> Fold(params IReadOnlyList<LoggedEvent>[] batches)
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

    // Replaces a twentieth of the values, at any depth, by values of other types.
    private static void Mutate(JsonNode node, Random random)
    {
        if (node is JsonObject members)
        {
            foreach (var name in members.Select(member => member.Key).ToList())
            {
                if (random.Next(20) == 0 && name is not ("manifest" or "run_results" or "metadata"))
                {
                    members[name] = Hostile(random);
                }
                else if (members[name] is { } child)
                {
                    Mutate(child, random);
                }
            }
        }
        else if (node is JsonArray items)
        {
            for (var i = 0; i < items.Count; i++)
            {
                if (random.Next(20) == 0)
                {
                    items[i] = Hostile(random);
                }
                else if (items[i] is { } child)
                {
                    Mutate(child, random);
                }
            }
        }
    }

    private static JsonNode? Hostile(Random random) => random.Next(12) switch
    {
        0 => null,
        1 => JsonNode.Parse("1e400"),
        2 => -5,
        3 => long.MaxValue,
        4 => "",
        5 => "a\0b \u202e 😀",
        6 => new string('x', 70_000),
        7 => new JsonArray(1, null, "x", new JsonObject()),
        8 => new JsonObject { [""] = "x", ["a\0"] = new JsonArray() },
        9 => "9999-12-31T23:59:59Z",
        10 => true,
        _ => "0001-01-01T00:00:00Z",
    };
}
