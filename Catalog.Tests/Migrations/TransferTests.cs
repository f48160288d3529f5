using System.Text.Json;
using Catalog.Data.Migrations;
using Catalog.Migrations.Transfer;
using Catalog.Tests.Support;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Migrations;

/// <summary>Whole files moved by the console as operators run it: what is refused, what is left, what is the same afterwards.</summary>
public sealed class TransferTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>
{
    private const string Canary = "Canary-7781";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_catalog_that_was_moved_answers_the_same_on_Postgres()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        await using var from = new LentDatabase(pair.Source);
        await using var to = new LentDatabase(pair.Target);
        var before = new Dictionary<string, string>();
        using (var app = new CatalogApp(from))
        using (var client = app.Client())
        {
            await Fill(client);
            foreach (var path in Paths)
            {
                before[path] = await client.GetStringAsync(path, Ct);
            }
        }

        var moved = await pair.Transfer("--json");

        Assert.True(moved.Exit == 0, moved.ToString());
        var secrets = moved.Json.GetProperty("secrets");
        Assert.Equal((1, 1, pair.Source + ".key"), (secrets.GetProperty("connections").GetInt32(), secrets.GetProperty("opened").GetInt32(), secrets.GetProperty("key_file").GetString()));
        var key = (await File.ReadAllTextAsync(pair.Source + ".key", Ct)).Trim();
        using (var app = new CatalogApp(to, ("DATAXPIPE_SECRET_KEY", key)))
        using (var client = app.Client())
        {
            foreach (var (path, answer) in before)
            {
                Assert.True(answer.Length > 20, path);
                Assert.Equal(answer, await client.GetStringAsync(path, Ct));
            }

            // The sealed password is there, and the key of the file opens it: another one would make it new.
            Assert.Equal(System.Net.HttpStatusCode.OK, (await client.PostJson("/api/v1/connections/", Connection)).StatusCode);
        }

        var again = await pair.Transfer();
        Assert.Equal(0, again.Exit);
        Assert.Contains("nothing to do", again.Output);
        Assert.Contains($"DATAXPIPE_SECRET_KEY=\"$(cat '{pair.Source}.key')\"", again.Output);
        Assert.All(again.Output.Split('\n').Where(line => !line.Contains(pair.Source, StringComparison.Ordinal) && !line.StartsWith("to  ", StringComparison.Ordinal)), line => Assert.InRange(line.Length, 0, 80));
        Assert.DoesNotContain(Canary, again.ToString() + moved);
        Assert.DoesNotContain(key, again.ToString() + moved);
    }

    [Fact]
    public async Task What_a_service_on_SQLite_exports_a_service_on_Postgres_takes_and_exports_the_same()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        await using var from = new LentDatabase(pair.Source);
        await using var to = new LentDatabase(pair.Target);
        using var old = new CatalogApp(from);
        using var source = old.Client();
        await Fill(source);
        var export = await source.GetStringAsync("/api/v1/pipelines/?format=export", Ct);

        using var app = new CatalogApp(to);
        using var client = app.Client();
        var posted = await client.PostAsync("/api/v1/pipelines/", new StringContent(export, System.Text.Encoding.UTF8, "application/json"), Ct);

        Assert.True(posted.IsSuccessStatusCode, await posted.Content.ReadAsStringAsync(Ct));
        Assert.Equal(3, JsonDocument.Parse(export).RootElement.GetArrayLength());
        Assert.Equal(Sorted(export), Sorted(await client.GetStringAsync("/api/v1/pipelines/?format=export", Ct)));

        static IEnumerable<string> Sorted(string export) => JsonDocument.Parse(export).RootElement.EnumerateArray().Select(item => item.GetRawText()).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_copied_and_writes_nothing()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        pair.AddResults(3_000);
        await using var target = await pair.OpenTarget();
        var before = await Everything(target);

        var planned = await pair.Transfer("--dry-run");
        var json = await pair.Transfer("--dry-run", "--json");

        Assert.Equal((0, 0), (planned.Exit, json.Exit));
        Assert.Contains("3,000 rows to copy", planned.Output);
        Assert.Equal("planned", json.Json.GetProperty("outcome").GetString());
        Assert.Equal(3_000, json.Json.GetProperty("tables").EnumerateArray().Sum(table => table.GetProperty("to_copy").GetInt32()));
        Assert.Equal(before, await Everything(target));
        Assert.Empty(json.Errors);
    }

    [Fact]
    public async Task A_transfer_that_was_killed_goes_on_where_it_was()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        pair.AddResults(120_000);
        var planned = (await pair.Transfer("--dry-run", "--json")).Json;
        using (var process = MigratorConsole.Start(pair.Target, ["transfer", "--from", pair.Source, "--json"]))
        {
            while (!process.HasExited && !(await pair.Counts()).ContainsKey("check_results"))
            {
                await Task.Delay(5, Ct);
            }

            process.Kill();
            await process.WaitForExitAsync(Ct);
        }

        var left = (await pair.Counts())["check_results"];
        Assert.InRange(left, 1, 119_999);

        var resumed = await pair.Transfer("--json");

        Assert.True(resumed.Exit == 0, resumed.ToString());
        var table = Table(resumed.Json, "check_results");
        Assert.Equal((left, 120_000 - left), (table.GetProperty("present").GetInt64(), table.GetProperty("copied").GetInt64()));
        Assert.Equal(Table(planned, "check_results").GetProperty("source_hash").GetString(), table.GetProperty("target_hash").GetString());
        Assert.Equal(120_000, (await pair.Counts())["check_results"]);
    }

    [Fact]
    public async Task A_target_with_rows_of_its_own_is_refused()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        pair.AddResults(100);
        await using var target = await pair.OpenTarget();
        await target.ExecuteAsync("insert into pipeline_tags values ('default', 'p', 'mine')");

        var refused = await pair.Transfer("--json");

        Assert.Equal((1, "not_empty"), (refused.Exit, Code(refused)));
        Assert.Contains("pipeline_tags", refused.Errors);
        Assert.Equal(["pipeline_tags"], (await pair.Counts()).Keys);

        // Rows of the source, but not its first; then its first, but for one value.
        await target.ExecuteAsync("delete from pipeline_tags");
        Assert.Equal(0, (await pair.Transfer()).Exit);
        await target.ExecuteAsync("delete from check_results where id = (select min(id) from check_results)");
        Assert.Equal(1, (await pair.Transfer()).Exit);
        await target.ExecuteAsync("delete from check_results");
        Assert.Equal(0, (await pair.Transfer()).Exit);
        var key = await target.ExecuteScalarAsync<string>("update check_results set message = 'changed' where id = (select id from check_results order by id offset 50 limit 1) returning id");
        refused = await pair.Transfer();
        Assert.Equal(1, refused.Exit);
        Assert.Contains(key!, refused.Errors);
    }

    [Fact]
    public async Task Databases_that_do_not_fit_together_are_refused_with_what_to_do()
    {
        server.Require();
        using var scripts = new ScriptFolder();
        using var pair = await TransferPair.Make(scripts.Path);
        async Task Refused(int exit, string code, string words, string? target = null, string? from = null)
        {
            var refused = await MigratorConsole.Run(target ?? pair.Target, "transfer", "--from", from ?? pair.Source, "--scripts", scripts.Path, "--json");
            Assert.True((exit, code) == (refused.Exit, Code(refused)), refused.ToString());
            Assert.Contains(words, refused.Errors);
        }

        await MigratorConsole.Run(pair.Target, "downgrade", "-1", "--yes", "--database", new Uri(pair.Target).AbsolutePath.Trim('/'), "--scripts", scripts.Path);
        await Refused(3, "revisions_differ", "run `catalog-migrations upgrade 0004_touch` on the target");
        await MigratorConsole.Run(pair.Target, "upgrade", "--scripts", scripts.Path);
        await MigratorConsole.Run(pair.Source, "downgrade", "-1", "--yes", "--database", "catalog.db", "--scripts", scripts.Path);
        await Refused(3, "revisions_differ", "run `catalog-migrations upgrade 0004_touch` on the source");
        await MigratorConsole.Run(pair.Source, "upgrade", "--scripts", scripts.Path);

        await Refused(2, "setting", "The target must be Postgres", target: pair.Source);
        await Refused(2, "setting", "the file does not exist", from: pair.Source + ".missing");
        await Refused(2, "setting", "--from must name a SQLite file", from: pair.Target);
        Assert.False(File.Exists(pair.Source + ".missing"));

        var other = Path.Combine(Path.GetDirectoryName(pair.Source)!, "other.db");
        await File.WriteAllTextAsync(other, "not a database, but long enough to look like one " + new string('x', 4096), Ct);
        await Refused(7, "source_unusable", "not a SQLite database", from: other);
        await File.WriteAllBytesAsync(other, [], Ct);
        await Refused(3, "revisions_differ", "contains no Catalog", from: other);

        pair.Change("update schemaversions set checksum = 'changed' where scriptname like '0002%'");
        await Refused(4, "checksum_mismatch", "The source:");
        pair.Change("delete from schemaversions where scriptname like '0002%'");
        await Refused(4, "history_gap", "The source:");
    }

    [Fact]
    public async Task Tables_are_loaded_after_those_they_refer_to_and_identities_go_on()
    {
        server.Require();
        using var scripts = new ScriptFolder();
        using var pair = await TransferPair.Make(scripts.Path);
        pair.Change("insert into customers (id, email) values (7, 'seven'), (9000000000, 'far'); insert into orders (id, customer_id, state, total_minor, currency, touched) values (3, 9000000000, 'open', 5, 'EUR', 0)");

        var moved = await pair.Transfer("--scripts", scripts.Path, "--json");

        Assert.True(moved.Exit == 0, moved.ToString());
        Assert.Equal(["customers", "orders"], moved.Json.GetProperty("tables").EnumerateArray().Select(table => table.GetProperty("table").GetString()));
        // What the scripts themselves had put there is the source's first rows.
        Assert.Equal(2, Table(moved.Json, "customers").GetProperty("present").GetInt32());
        await using var target = await pair.OpenTarget();
        Assert.Equal(9000000001, await target.ExecuteScalarAsync<long>("insert into customers (email) values ('next') returning id"));
        Assert.Equal(4, await target.ExecuteScalarAsync<long>("insert into orders (customer_id, state, total_minor) values (7, 'open', 1) returning id"));
    }

    [Fact]
    public async Task An_identity_of_an_empty_table_begins_at_its_first_number()
    {
        server.Require();
        using var scripts = new ScriptFolder();
        using var pair = await TransferPair.Make(scripts.Path);

        Assert.Equal(0, (await pair.Transfer("--scripts", scripts.Path)).Exit);

        await using var target = await pair.OpenTarget();
        Assert.Equal(1, await target.ExecuteScalarAsync<long>("insert into orders (customer_id, state, total_minor) values (1, 'open', 1) returning id"));
        Assert.Equal(3, await target.ExecuteScalarAsync<long>("insert into customers (email) values ('next') returning id"));
    }

    [Fact]
    public async Task References_that_the_source_declares_and_does_not_keep_are_listed()
    {
        server.Require();
        using var scripts = new ScriptFolder();
        using var pair = await TransferPair.Make(scripts.Path);
        pair.Change("insert into orders (id, customer_id, state, total_minor, currency, touched) values (3, 77, 'open', 5, 'EUR', 0), (4, 1, 'lost', -1, 'EUR', 0)");

        var refused = await pair.Transfer("--scripts", scripts.Path);

        Assert.Equal(4, refused.Exit);
        Assert.Contains("refers to a missing row of customers", refused.Output);
        Assert.Contains("orders_state_check", refused.Output);
        Assert.False((await pair.Counts()).ContainsKey("orders"));
    }

    [Fact]
    public void Tables_that_refer_to_each_other_in_a_circle_are_refused()
    {
        TransferTable Table(string name, params string[] references) => new(name, [], [], [], [], references);

        Assert.Equal(["a", "c", "b"], LoadOrder.Of([Table("b", "c"), Table("c", "a", "elsewhere"), Table("a")]).Select(table => table.Name));
        var refused = Assert.Throws<MigrationException>(() => LoadOrder.Of([Table("a", "b"), Table("b", "a"), Table("c")]));
        Assert.Equal((MigrationFault.NotMovable, true), (refused.Fault, refused.Message.Contains("a, b", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_target_without_a_column_is_refused()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        await using var target = await pair.OpenTarget();
        await target.ExecuteAsync("alter table runs drop column trigger");
        var refused = await pair.Transfer("--json");
        Assert.Equal((4, "not_movable"), (refused.Exit, Code(refused)));
        Assert.Contains("Table runs has column trigger only in the source", refused.Errors);

        await target.ExecuteAsync("alter table runs add column trigger jsonb");
        refused = await pair.Transfer("--json");
        Assert.Equal((4, "not_movable"), (refused.Exit, Code(refused)));
        Assert.Contains("runs.trigger of the target has type jsonb", refused.Errors);
    }

    [Fact]
    public async Task A_damaged_source_is_refused()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        pair.AddResults(2_000);
        pair.Change("pragma wal_checkpoint(truncate)");
        var bytes = await File.ReadAllBytesAsync(pair.Source, Ct);
        for (var i = bytes.Length / 2; i < bytes.Length / 2 + 40_000; i++)
        {
            bytes[i] = (byte)(i * 31);
        }

        await File.WriteAllBytesAsync(pair.Source, bytes, Ct);
        var refused = await pair.Transfer("--json");
        Assert.Equal((7, "source_unusable"), (refused.Exit, Code(refused)));
        Assert.Empty(await pair.Counts());
    }

    [Fact]
    public async Task A_writer_beside_it_does_not_tear_the_copy()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        pair.AddResults(60_000);
        using var stop = new CancellationTokenSource();
        var written = 0;
        var writer = Task.Run(() =>
        {
            using var connection = pair.OpenSource();
            for (; !stop.IsCancellationRequested; written++)
            {
                // A pair of rows in two tables, of which the second is loaded long before the first.
                connection.Execute($"""
                    begin immediate;
                    insert into runs (organization_id, id, pipeline_id, status, created_at, updated_at) values ('default', 'r{written}', 'p', 'pending', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z');
                    insert into pipeline_tags values ('default', 'r{written}', 'tag');
                    commit
                    """);
                Thread.Sleep(2);
            }
        }, Ct);
        while (Volatile.Read(ref written) < 20)
        {
            await Task.Delay(5, Ct);
        }

        var moved = await pair.Transfer("--json");
        var during = Volatile.Read(ref written);
        await stop.CancelAsync();
        await writer;

        Assert.True(moved.Exit == 0, moved.ToString());
        var counts = await pair.Counts();
        Assert.Equal(counts["runs"], counts["pipeline_tags"]);
        Assert.InRange(counts["runs"], 20, during - 1);
    }

    [Fact]
    public async Task A_second_transfer_waits_for_the_first()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        await using var holder = await pair.OpenTarget();
        Assert.True(await holder.ExecuteScalarAsync<bool>($"select pg_try_advisory_lock({0x0063_6174_616c_6f67})"));

        var refused = await pair.Transfer("--wait", "0.5", "--json");

        Assert.Equal((5, "lock_not_obtained"), (refused.Exit, Code(refused)));
    }

    [Fact]
    public async Task No_output_shows_a_password()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        var role = $"catalog_mover_{Guid.NewGuid():N}";
        await PostgresTestDatabase.Execute($"create role {role} superuser login password '{Canary}'");
        try
        {
            var address = new UriBuilder(pair.Target) { UserName = role, Password = Canary }.Uri.ToString();
            foreach (var arguments in new string[][] { [], ["--json"], ["--dry-run"], ["--to", address], ["--to", address + "?nonsense=1"], ["--to", "postgresql://u:" + Canary + "@127.0.0.1:1/x"], ["--to", "mysql://u:" + Canary + "@h/x"] })
            {
                var result = await MigratorConsole.Run(address, ["transfer", "--from", pair.Source, .. arguments]);
                Assert.DoesNotContain(Canary, result.ToString());
                Assert.Equal(arguments is ["--to", var to] && to != address ? to.StartsWith("mysql", StringComparison.Ordinal) || to.EndsWith('1') ? 2 : 7 : 0, result.Exit);
            }

            Assert.Equal(2, (await MigratorConsole.Run(address, "transfer", "--from", address)).Exit);
            Assert.DoesNotContain(Canary, (await MigratorConsole.Run(address, "transfer", "--from", $"file:{Canary}")).ToString());
        }
        finally
        {
            await PostgresTestDatabase.Execute($"drop role {role}");
        }
    }

    private static readonly object Connection = new { id = "shop", type = "postgres", config = new { host = "db.example", user = "ann", password = Canary } };

    private static readonly string[] Paths =
    [
        "/api/v1/pipelines/", "/api/v1/pipelines/?format=export", "/api/v1/pipelines/daily_orders", "/api/v1/pipelines/daily_orders/versions", "/api/v1/pipelines/?q=sales",
        "/api/v1/runs/", "/api/v1/runs/r-1", "/api/v1/runs/r-1/events", "/api/v1/runs/?status=failed", "/api/v1/checks/", "/api/v1/checks/orders_not_empty?pipeline_id=daily_orders",
        "/api/v1/checks/orders_not_empty/history?pipeline_id=daily_orders", "/api/v1/checks/results/", "/api/v1/checks/results/c-1", "/api/v1/connections/", "/api/v1/connections/shop",
        "/api/v1/datasets/", "/api/v1/lineage/mart.orders", "/api/v1/lineage/public.orders/impact",
    ];

    private static async Task Fill(HttpClient client)
    {
        async Task Post(string path, string body)
        {
            using var answer = await client.PostAsync(path, new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Ct);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync(Ct)}");
        }

        foreach (var name in new[] { "RegisterPipeline", "RegisterPipeline" })
        {
            await Post("/api/v1/pipelines/", await File.ReadAllTextAsync(Path.Combine(ConventionTests.Root, "docs", "walk", name + ".json"), Ct));
        }

        await Post("/api/v1/pipelines/", """{"name":"daily_orders","version":"2","owner":"sales-data","tags":["Ärger 🚀"],"number":1.50,"checks":[{"id":"orders_not_empty","sql":"select count(*) from mart.orders","severity":"error"}],"lineage":{"edges":[{"from":"public.orders","to":"mart.orders"},{"from":"mart.orders","to":"mart.daily"}]}}""");
        await Post("/api/v1/pipelines/", """[{"name":"p-2"},{"name":"P-10","tags":["a","b"]}]""");
        await Post("/api/v1/runs/", """{"id":"r-1","pipeline_id":"daily_orders","status":"running","started_at":"2026-01-31T06:00:00.123456Z","metadata":{"z":1,"a":[1.0,2e3]}}""");
        using (var stage = await client.PutAsync("/api/v1/runs/r-1/stages/load", new StringContent("""{"status":"completed","records_processed":9007199254740993}""", System.Text.Encoding.UTF8, "application/json"), Ct))
        {
            Assert.True(stage.IsSuccessStatusCode);
        }

        await Post("/api/v1/runs/", """{"id":"r-1","pipeline_id":"daily_orders","status":"completed","completed_at":"2026-01-31T06:02:00Z"}""");
        await Post("/api/v1/runs/", """{"id":"r-2","pipeline_id":"p-2","status":"skipped"}""");
        await Post("/api/v1/checks/results", """{"id":"c-1","pipeline_id":"daily_orders","check_id":"orders_not_empty","run_id":"r-1","status":"fail","dataset":"mart.orders","observed_value":0.1,"message":"zażółć 🚀","executed_at":"2026-01-31T06:05:00.000001Z","duration_seconds":5e-324}""");
        await Post("/api/v1/checks/results", """[{"id":"c-2","pipeline_id":"p-2","check_id":"nobody_knows_it","run_id":"a-run-nobody-knows","status":"pass","observed_value":{"b":[null,true]},"failed_rows":0},{"id":"c-3","pipeline_id":"daily_orders","check_id":"orders_not_empty","status":"warn","severity":"warn"}]""");
        using var connection = await client.PostJson("/api/v1/connections/", Connection);
        Assert.True(connection.IsSuccessStatusCode);
    }

    private static JsonElement Table(JsonElement document, string name) => document.GetProperty("tables").EnumerateArray().Single(table => table.GetProperty("table").GetString() == name);

    private static string? Code(ConsoleResult result) => result.Json.GetProperty("error").GetProperty("code").GetString();

    // Every row of every table but the counters of the server itself, and every object.
    private static async Task<string> Everything(NpgsqlConnection target) => string.Join('\n', [
        .. await target.QueryAsync<string>("select relnamespace::regnamespace::text || relname || relkind::text || relfilenode from pg_class where relnamespace::regnamespace::text not like 'pg\\_%' order by 1"),
        .. await target.QueryAsync<string>("select schemaversions::text from schemaversions"), .. await target.QueryAsync<string>("select schema_history::text from schema_history"),
        .. (await target.QueryAsync<string>("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1")).ToList().Select(table => table + target.ExecuteScalar<long>($"select count(*) from \"{table}\""))]);

    private sealed class LentDatabase(string address) : TestDatabase
    {
        public override string Address => address;

        public override ValueTask InitializeAsync() => ValueTask.CompletedTask;
    }
}
