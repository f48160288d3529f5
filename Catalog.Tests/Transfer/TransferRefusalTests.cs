using Catalog.Data.Migrations;
using Catalog.Migrations.Transfer;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Transfer;

/// <summary>Transfers that are refused before or while rows are copied.</summary>
public sealed class TransferRefusalTests(PostgresTestDatabase server) : IClassFixture<PostgresTestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_target_with_other_rows_is_refused()
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

        // First, the first row of the source is missing in the target. Then a row differs in one value.
        await target.ExecuteAsync("delete from pipeline_tags");
        Assert.Equal(0, (await pair.Transfer()).Exit);
        await target.ExecuteAsync("delete from check_results where id = (select min(id) from check_results)");
        Assert.Equal(1, (await pair.Transfer()).Exit);
        await target.ExecuteAsync("delete from check_results");
        Assert.Equal(0, (await pair.Transfer()).Exit);
        var key = await target.ExecuteScalarAsync<string>(
            "update check_results set message = 'changed' where id = (select id from check_results order by id offset 50 limit 1) "
                + "returning id");
        refused = await pair.Transfer();
        Assert.Equal(1, refused.Exit);
        Assert.Contains(key!, refused.Errors);
    }

    [Fact]
    public async Task Databases_that_do_not_match_are_refused_with_an_action()
    {
        server.Require();
        using var scripts = new TestChain();
        using var pair = await TransferPair.Make(scripts.Path);
        async Task Refused(int exit, string code, string words, string? target = null, string? from = null)
        {
            var refused = await MigratorConsole.Run(target ?? pair.Target, "transfer", "--from", from ?? pair.Source, "--scripts",
                scripts.Path, "--json");
            Assert.True((exit, code) == (refused.Exit, Code(refused)), refused.ToString());
            Assert.Contains(words, refused.Errors);
        }

        await MigratorConsole.Run(pair.Target, "downgrade", "-1", "--yes", "--database", new Uri(pair.Target).AbsolutePath.Trim('/'),
            "--scripts", scripts.Path);
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
    public async Task Broken_references_in_the_source_are_listed()
    {
        server.Require();
        using var scripts = new TestChain();
        using var pair = await TransferPair.Make(scripts.Path);
        pair.Change(
            "insert into orders (id, customer_id, state, total_minor, currency, touched) values (3, 77, 'open', 5, 'EUR', 0), (4, 1, "
                + "'lost', -1, 'EUR', 0)");

        var refused = await pair.Transfer("--scripts", scripts.Path);

        Assert.Equal(4, refused.Exit);
        Assert.Contains("refers to a missing row of customers", refused.Output);
        Assert.Contains("orders_state_check", refused.Output);
        Assert.False((await pair.Counts()).ContainsKey("orders"));
    }

    [Fact]
    public void Circular_references_between_tables_are_refused()
    {
        TransferTable Table(string name, params string[] references) => new(name, [], [], [], [], references);

        Assert.Equal(["a", "c", "b"], LoadOrder.Of([Table("b", "c"), Table("c", "a", "elsewhere"), Table("a")])
            .Select(table => table.Name));
        var refused = Assert.Throws<MigrationException>(() => LoadOrder.Of([Table("a", "b"), Table("b", "a"), Table("c")]));
        Assert.Equal((MigrationFault.NotMovable, true), (refused.Fault, refused.Message.Contains("a, b", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_target_with_a_missing_or_different_column_is_refused()
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
    public async Task A_second_transfer_waits_for_the_first()
    {
        server.Require();
        using var pair = await TransferPair.Make();
        await using var holder = await pair.OpenTarget();
        Assert.True(await holder.ExecuteScalarAsync<bool>($"select pg_try_advisory_lock({0x0063_6174_616c_6f67})"));

        var refused = await pair.Transfer("--wait", "0.5", "--json");

        Assert.Equal((5, "lock_not_obtained"), (refused.Exit, Code(refused)));
    }

    private static string? Code(ConsoleResult result) => result.Json.GetProperty("error").GetProperty("code").GetString();
}
