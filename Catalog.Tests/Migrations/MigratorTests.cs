using Catalog.Data.Migrations;
using Catalog.Tests.Support;

namespace Catalog.Tests.Migrations;

public sealed class MigratorOnSqlite() : MigratorTests("sqlite");

public sealed class MigratorOnPostgres : MigratorTests, IClassFixture<PostgresTestDatabase>
{
    public MigratorOnPostgres(PostgresTestDatabase database)
        : base("postgres") => database.Require();
}

/// <summary>What the migrator does with a chain of scripts.</summary>
public abstract class MigratorTests(string engine) : MigratorSteps(engine)
{
    [Fact]
    public async Task An_empty_database_is_upgraded_to_head_and_a_second_run_does_nothing()
    {
        var address = await EmptyDatabase();

        Assert.Equal(Head.Length, (await Upgrade(address)).Count);
        Assert.Empty(await Upgrade(address));

        var status = await Look(address);
        Assert.Equal(Head, status.Applied.Select(row => row.ScriptName));
        Assert.All(status.Applied, row => Assert.True(row.Checksum?.Length == 64 && row.AppliedBy is not null && row.DurationSeconds >= 0));
        Assert.InRange(status.Applied[0].Applied, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.Equal(Head, status.Attempts.Where(attempt => attempt is { Direction: "upgrade", Outcome: "finished" })
            .Select(attempt => attempt.ScriptName));
        Assert.Empty(status.Faults);
    }

    [Fact]
    public async Task Eight_concurrent_migrators_apply_each_script_once()
    {
        var address = await EmptyDatabase();

        var applied = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Upgrade(address, scripts: Folder))));

        Assert.Equal(4, applied.Sum(steps => steps.Count));
        Assert.Equal(["0001_shop", "0002_currency", "0003_state_idx", "0004_touch"], (await Look(address, Folder))
            .Applied.Select(row => Path.GetFileNameWithoutExtension(row.ScriptName)));
    }

    [Fact]
    public async Task Targets_are_numbers_names_and_steps()
    {
        var address = await EmptyDatabase();

        Assert.Equal(["0001_shop"], Names(await Upgrade(address, "+1", Folder)));
        Assert.Equal(["0002_currency", "0003_state_idx"], Names(await Upgrade(address, "0003", Folder)));
        Assert.Empty(await Upgrade(address, "0003_state_idx.sql", Folder));
        Assert.Equal(["0004_touch"], Names(await Upgrade(address, "4", Folder)));
        Assert.Equal(["0004_touch"], Names(await Downgrade(address, "-1")));
        Assert.Equal(["0003_state_idx", "0002_currency"], Names(await Downgrade(address, "0001_shop")));
        Assert.Equal(["0001_shop"], Names(await Downgrade(address, "base")));
        Assert.Equal("base", (await Look(address, Folder)).Current);
        foreach (var target in new[] { "0005", "shop", "+5", "-1", "", "0001; drop table x", "00001", "١" })
        {
            Assert.Equal(
                MigrationFault.UnknownTarget, (await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address, target, Folder))).Fault);
        }

        await Upgrade(address, "2", Folder);
        Assert.Equal(MigrationFault.UnknownTarget, (await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address, "1", Folder)))
            .Fault);
        Assert.Equal(MigrationFault.UnknownTarget, (await Assert.ThrowsAsync<MigrationException>(() => Downgrade(address, "4"))).Fault);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Upgrade_downgrade_and_upgrade_give_the_same_schema_at_every_revision()
    {
        foreach (var scripts in new[] { null, Folder })
        {
            var address = await EmptyDatabase();
            var chain = Chain(address, scripts);
            var seen = new List<string> { await Fingerprint(address, scripts) };
            foreach (var script in chain.Scripts)
            {
                await Upgrade(address, script.Revision, scripts);
                seen.Add(await Fingerprint(address, scripts));
                await Downgrade(address, "-1", scripts);
                Assert.Equal(seen[^2], await Fingerprint(address, scripts));
                await Upgrade(address, script.Revision, scripts);
                Assert.Equal(seen[^1], await Fingerprint(address, scripts));
            }

            // The first script changes rows only. The second one changes how values are stored, which the description
            // leaves out.
            var unchanged = chain.Scripts.Count(
                script => script.Revision is "0023_schedules_of_earlier_checks" or "0046_bodies_compressed_with_lz4");
            Assert.Equal(seen.Count - unchanged, seen.Distinct().Count());
        }
    }

    [Fact]
    public async Task Data_survives_scripts_that_do_not_drop_its_table()
    {
        var address = await EmptyDatabase();
        var steps = await Upgrade(address, "2", Folder);
        await Execute(address, "insert into orders (id, customer_id, state, total_minor, currency) values (7, 1, 'open', 250, 'CHF')");
        await Upgrade(address, "head", Folder);
        await Execute(address, "update orders set state = 'paid' where id = 7");
        await Downgrade(address, "1", Folder);

        Assert.Equal([2L, 1L], steps.Select(step => step.Rows));
        Assert.Equal([(7, "paid", 250)], await Query<(long, string, long)>(address, "select id, state, total_minor from orders"));
        Assert.Equal(["a;b@example.com", "it's -- no comment"], await Query<string>(address, "select email from customers order by id"));
    }

    [Fact]
    public async Task A_failed_script_is_rolled_back_and_its_line_is_reported()
    {
        var address = await EmptyDatabase();
        Folder.Change("0002_currency.sql", sql => $"-- first\n\n{sql}\ninsert into nowhere values (1);\n");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address, scripts: Folder));

        Assert.Equal(MigrationFault.ScriptFailed, failure.Fault);
        Assert.StartsWith("0002_currency.sql line 6: ", failure.Message);
        Assert.Contains("nowhere", failure.Message);
        var status = await Look(address, Folder);
        Assert.Equal("0001_shop", status.Current);
        Assert.Equal(failure.Message, status.Attempts.Single(attempt => attempt.Outcome == "failed").Message);
        Folder.Change("0002_currency.sql", sql => sql.Replace("insert into nowhere values (1);", "", StringComparison.Ordinal));
        Assert.Equal(3, (await Upgrade(address, scripts: Folder)).Count);
    }

    [Fact]
    public async Task An_object_that_already_exists_is_reported_with_an_action()
    {
        var address = await EmptyDatabase();
        await Upgrade(address, "1", Folder);
        await Execute(address, "alter table orders add column currency text not null default 'EUR'");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address, scripts: Folder));

        Assert.Contains("0002_currency.sql line 1", failure.Message);
        Assert.Contains("already exists: run", failure.Message);
    }

    [Fact]
    public async Task Reset_drops_all_objects_of_the_scripts_in_any_state()
    {
        var address = await EmptyDatabase();
        await Upgrade(address, scripts: Folder);
        await Execute(address, "drop view open_orders");
        if (IsPostgres)
        {
            await Execute(address, "create function orders_touch(integer) returns integer language sql as 'select 1'");
            await Execute(address, "create view report as select id from orders");
            var refused = await Assert.ThrowsAsync<MigrationException>(() => Clear(address));
            Assert.Contains("report", refused.Message);
            Assert.Equal("0004_touch", (await Look(address, Folder)).Current);
            await Execute(address, "drop view report");
        }

        await Execute(address, "insert into orders (id, customer_id, state, total_minor) values (7, 1, 'open', 250)");

        await Clear(address);

        Assert.Equal("base", (await Look(address, Folder)).Current);
        Assert.Equal(4, (await Upgrade(address, scripts: Folder)).Count);
        Assert.Empty(await Query<long>(address, "select id from orders"));
    }

    [Theory]
    [InlineData("create table a (x integer);\ncommit;\ncreate table b (x integer);")]
    [InlineData("begin;\ncreate table a (x integer);\ncommit;")]
    [InlineData("create table a (x integer);\nrollback and chain;\ncreate table b (x integer);")]
    [InlineData("create table a (x integer);\nend;")]
    [InlineData("create table a (x integer);\nstart transaction;")]
    public async Task A_script_that_would_end_the_runners_transaction_is_refused_before_anything_runs(string sql)
    {
        var address = await EmptyDatabase();
        Folder.Change("0002_currency.sql", _ => sql);

        var refused = await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address, scripts: Folder));

        Assert.Equal(MigrationFault.ScriptUnreadable, refused.Fault);
        Assert.StartsWith("0002_currency.sql line ", refused.Message);
        Assert.Equal("base", (await Look(address, Folder)).Current);
    }

    [Fact]
    public async Task Savepoints_are_allowed_and_a_script_that_drops_the_journal_is_rolled_back()
    {
        var address = await EmptyDatabase();
        Folder.Change("0002_currency.sql", sql =>
            "savepoint s;\ninsert into customers (id, email) values (9, 'x');\nrollback to s;\nrelease s;\n" + sql);
        await Upgrade(address, "2", Folder);
        Assert.Equal(2, Assert.Single(await Query<long>(address, "select count(*) from customers")));

        Folder.Change("0003_state_idx.sql", _ => "drop table schemaversions;");
        var failed = await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address, scripts: Folder));
        Assert.Equal(MigrationFault.ScriptFailed, failed.Fault);
        Assert.StartsWith("0003_state_idx.sql could not be committed", failed.Message);
        Assert.Equal("0002_currency", (await Look(address, Folder)).Current);
    }

    [Fact]
    [Trait("Fault", "F30")]
    public async Task The_probe_reports_the_missing_revision()
    {
        var address = await EmptyDatabase();
        await using var probe = new SchemaProbe(TestDatabase.Read(address));

        var before = await probe.Check(Ct);
        await Upgrade(address);
        var after = await probe.Check(Ct);

        Assert.False(before.Ready);
        Assert.Contains("0001_initial", before.Reason);
        Assert.Equal((true, Path.GetFileNameWithoutExtension(Head[^1]), null), (after.Ready, after.Head, after.Reason));
    }
}
