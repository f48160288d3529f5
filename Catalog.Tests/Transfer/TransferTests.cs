using System.Text.Json;
using Catalog.Tests.Support;
using Dapper;
using Npgsql;
using static Catalog.Tests.Transfer.TransferContent;

namespace Catalog.Tests.Transfer;

/// <summary>Transfers of whole files with the console, as operators run it.</summary>
public sealed class TransferTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>
{

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transferred_catalog_gives_the_same_answers_on_Postgres()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        await using var from = new DatabaseAtAddress(pair.Source);
        await using var to = new DatabaseAtAddress(pair.Target);
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
        Assert.Equal((1, 1, pair.Source + ".key"), (secrets.GetProperty("connections").GetInt32(), secrets.GetProperty("opened").GetInt32(),
            secrets.GetProperty("key_file").GetString()));
        var key = (await File.ReadAllTextAsync(pair.Source + ".key", Ct)).Trim();
        using (var app = new CatalogApp(to, ("DATAXPIPE_SECRET_KEY", key)))
        using (var client = app.Client())
        {
            foreach (var (path, answer) in before)
            {
                Assert.True(answer.Length > 20, path);
                Assert.Equal(answer, await client.GetStringAsync(path, Ct));
            }

            // The key of the file opens the transferred password. With another key the answer would be 201.
            using var connection = await client.PostJson("/api/v1/connections/", Connection);
            Assert.Equal(System.Net.HttpStatusCode.OK, connection.StatusCode);
        }

        var again = await pair.Transfer();
        Assert.Equal(0, again.Exit);
        Assert.Contains("nothing to do", again.Output);
        Assert.Contains($"DATAXPIPE_SECRET_KEY=\"$(cat '{pair.Source}.key')\"", again.Output);
        Assert.All(again.Output.Split('\n').Where(line => !line.Contains(pair.Source, StringComparison.Ordinal)
            && !line.StartsWith("to  ", StringComparison.Ordinal)), line => Assert.InRange(line.Length, 0, 80));
        Assert.DoesNotContain(Canary, again.ToString() + moved);
        Assert.DoesNotContain(key, again.ToString() + moved);
    }

    [Fact]
    public async Task A_service_on_Postgres_imports_an_export_from_SQLite_and_exports_the_same()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        await using var from = new DatabaseAtAddress(pair.Source);
        await using var to = new DatabaseAtAddress(pair.Target);
        using var old = new CatalogApp(from);
        using var source = old.Client();
        await Fill(source);
        var export = await source.GetStringAsync("/api/v1/pipelines/?format=export", Ct);

        using var app = new CatalogApp(to);
        using var client = app.Client();
        var posted = await client.PostAsync("/api/v1/pipelines/", new StringContent(export, System.Text.Encoding.UTF8, "application/json"),
            Ct);

        Assert.True(posted.IsSuccessStatusCode, await posted.Content.ReadAsStringAsync(Ct));
        Assert.Equal(3, JsonDocument.Parse(export).RootElement.GetArrayLength());
        Assert.Equal(Sorted(export), Sorted(await client.GetStringAsync("/api/v1/pipelines/?format=export", Ct)));

        static IEnumerable<string> Sorted(string export) =>
            JsonDocument.Parse(export).RootElement.EnumerateArray().Select(item => item.GetRawText()).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_reports_the_rows_to_copy_and_writes_nothing()
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
    [Trait("Category", "Slow")]
    public async Task A_killed_transfer_is_resumed()
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
    public async Task Tables_are_loaded_after_their_references_and_identities_continue()
    {
        server.Require();
        using var scripts = new TestChain();
        using var pair = await TransferPair.Make(scripts.Path);
        pair.Change(
            "insert into customers (id, email) values (7, 'seven'), (9000000000, 'far'); insert into orders (id, customer_id, state, "
                + "total_minor, currency, touched) values (3, 9000000000, 'open', 5, 'EUR', 0)");

        var moved = await pair.Transfer("--scripts", scripts.Path, "--json");

        Assert.True(moved.Exit == 0, moved.ToString());
        Assert.Equal(["customers", "orders"], moved.Json.GetProperty("tables").EnumerateArray()
            .Select(table => table.GetProperty("table").GetString()));
        // The target already has the rows that the scripts insert; they equal the source's first rows.
        Assert.Equal(2, Table(moved.Json, "customers").GetProperty("present").GetInt32());
        await using var target = await pair.OpenTarget();
        Assert.Equal(9000000001, await target.ExecuteScalarAsync<long>("insert into customers (email) values ('next') returning id"));
        Assert.Equal(
            4, await target.ExecuteScalarAsync<long>(
                "insert into orders (customer_id, state, total_minor) values (7, 'open', 1) returning id"));
    }

    [Fact]
    public async Task The_identity_of_an_empty_table_starts_at_its_first_number()
    {
        server.Require();
        using var scripts = new TestChain();
        using var pair = await TransferPair.Make(scripts.Path);

        Assert.Equal(0, (await pair.Transfer("--scripts", scripts.Path)).Exit);

        await using var target = await pair.OpenTarget();
        Assert.Equal(
            1, await target.ExecuteScalarAsync<long>(
                "insert into orders (customer_id, state, total_minor) values (1, 'open', 1) returning id"));
        Assert.Equal(3, await target.ExecuteScalarAsync<long>("insert into customers (email) values ('next') returning id"));
    }

    [Fact]
    public async Task A_concurrent_writer_does_not_make_the_copy_inconsistent()
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
                // Each transaction writes two tables, and the transfer loads the second table long before the first. So
                // the counts would differ without a consistent copy.
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
    public async Task No_output_shows_a_password()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        var role = $"catalog_mover_{Guid.NewGuid():N}";
        await PostgresTestDatabase.Execute($"create role {role} superuser login password '{Canary}'");
        try
        {
            var address = new UriBuilder(pair.Target) { UserName = role, Password = Canary }.Uri.ToString();
            foreach (var arguments in new string[][] { [], ["--json"], ["--dry-run"], ["--to", address], ["--to", address + "?nonsense=1"],
                ["--to", "postgresql://u:" + Canary + "@127.0.0.1:1/x"], ["--to", "mysql://u:" + Canary + "@h/x"] })
            {
                var result = await MigratorConsole.Run(address, ["transfer", "--from", pair.Source, .. arguments]);
                Assert.DoesNotContain(Canary, result.ToString());
                Assert.Equal(arguments is ["--to", var to] && to != address ? to.StartsWith("mysql", StringComparison.Ordinal)
                    || to.EndsWith('1') ? 2 : 7 : 0, result.Exit);
            }

            Assert.Equal(2, (await MigratorConsole.Run(address, "transfer", "--from", address)).Exit);
            Assert.DoesNotContain(Canary, (await MigratorConsole.Run(address, "transfer", "--from", $"file:{Canary}")).ToString());
        }
        finally
        {
            await PostgresTestDatabase.Execute($"drop role {role}");
        }
    }

    private static JsonElement Table(JsonElement document, string name) =>
        document.GetProperty("tables").EnumerateArray().Single(table => table.GetProperty("table").GetString() == name);

    // Describes all objects, the journal and the number of rows of each table.
    private static async Task<string> Everything(NpgsqlConnection target) => string.Join('\n', [
        .. await target.QueryAsync<string>(
            "select relnamespace::regnamespace::text || relname || relkind::text || relfilenode from pg_class where "
                + "relnamespace::regnamespace::text not like 'pg\\_%' order by 1"),
        .. await target.QueryAsync<string>("select schemaversions::text from schemaversions"), .. await target.QueryAsync<string>(
            "select schema_history::text from schema_history"),
        .. (await target.QueryAsync<string>("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = "
            + "'r' order by 1")).ToList().Select(table => table + target.ExecuteScalar<long>($"select count(*) from \"{table}\""))]);
}
