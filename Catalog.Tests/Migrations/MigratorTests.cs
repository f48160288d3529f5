using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Migrations;

public sealed class MigratorOnSqlite : MigratorTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-migrations-").FullName;

    protected override Task<string> EmptyDatabase() => Task.FromResult(Path.Combine(_directory, $"{Guid.NewGuid():N}.db"));
}

public sealed class MigratorOnPostgres : MigratorTests, IClassFixture<PostgresTestDatabase>
{
    public MigratorOnPostgres(PostgresTestDatabase database) => database.Require();

    protected override Task<string> EmptyDatabase() => PostgresTestDatabase.Empty("catalog_empty");
}

public abstract class MigratorTests : IDisposable
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private TestChain Folder { get; } = new();

    protected abstract Task<string> EmptyDatabase();

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

            // This script changes rows only.
            var unchanged = chain.Scripts.Count(script => script.Revision == "0023_schedules_of_earlier_checks");
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
    public async Task A_database_of_other_tables_is_refused_until_it_is_stamped()
    {
        var address = await EmptyDatabase();
        await Execute(address, "create table somebody_elses (id integer)");

        var refusal = await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address));
        Assert.Equal(MigrationFault.NotEmpty, refusal.Fault);
        Assert.Contains("somebody_elses", refusal.Message);
        Assert.Empty((await Look(address)).Attempts);

        await Stamp(address, "base");
        Assert.Equal(Head.Length, (await Upgrade(address)).Count);
        Assert.Single(await Query<string>(address, "select 'there' from (select count(*) from somebody_elses) as x"));
    }

    [Fact]
    public async Task A_stamp_requires_a_matching_schema()
    {
        var address = await EmptyDatabase();
        Assert.Equal(MigrationFault.UnknownTarget, (await Assert.ThrowsAsync<MigrationException>(() => Stamp(address, "0042_typo"))).Fault);
        var drift = await Assert.ThrowsAsync<MigrationException>(() => Stamp(address, "head"));
        Assert.Equal(MigrationFault.Drift, drift.Fault);
        Assert.Contains("missing: column", drift.Message);

        foreach (var statement in Chain(address, null).Scripts.SelectMany(script => script.Up.Statements))
        {
            await Execute(address, statement.Sql);
        }

        Assert.Equal(MigrationFault.NotEmpty, (await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address))).Fault);
        await Stamp(address, "head");
        Assert.Empty(await Upgrade(address));
        await Stamp(address, "base", force: true);
        Assert.Equal("base", (await Look(address)).Current);
        Assert.Equal(["stamp", "stamp"], (await Look(address)).Attempts.Select(attempt => attempt.Direction));
    }

    [Fact]
    public async Task Each_kind_of_journal_fault_has_its_own_code()
    {
        var address = await EmptyDatabase();
        await Upgrade(address, scripts: Folder);
        async Task Expect(MigrationFault fault, string sql)
        {
            await Execute(address, sql);
            Assert.Contains(fault, (await Look(address, Folder)).Faults.Select(found => found.Fault));
            var before = await Fingerprint(address, Folder);
            var refusal = await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address, scripts: Folder));
            Assert.Equal((await Look(address, Folder)).Faults[0].Fault, refusal.Fault);
            await Assert.ThrowsAsync<MigrationException>(() => Downgrade(address, "-1"));
            Assert.Equal(before, await Fingerprint(address, Folder));
            await Stamp(address, "0004", force: true);
            Assert.Empty((await Look(address, Folder)).Faults);
        }

        await Expect(
            MigrationFault.ChecksumMismatch, "update schemaversions set checksum = 'other' where scriptname = '0002_currency.sql'");
        await Expect(
            MigrationFault.NewerSchema, "insert into schemaversions (scriptname, applied) values ('0009_future.sql', '2026-01-01')");
        await Expect(
            MigrationFault.UnknownRevision, "insert into schemaversions (scriptname, applied) values ('0002_other.sql', '2026-01-01')");
        await Expect(MigrationFault.HistoryGap, "delete from schemaversions where scriptname = '0002_currency.sql'");
        await Expect(MigrationFault.OutOfOrder, "update schemaversions set schemaversionsid = 900 where scriptname = '0002_currency.sql'");
        var applied = (await Look(address, Folder)).Applied;
        Assert.Contains(MigrationFault.DuplicateRevision, Chain(address, Folder).Faults([.. applied, applied[1]])
            .Select(fault => fault.Fault));
    }

    [Fact]
    public async Task A_changed_byte_is_detected_but_line_ends_and_byte_order_marks_are_ignored()
    {
        var address = await EmptyDatabase();
        await Upgrade(address, scripts: Folder);

        Folder.Change("0001_shop.sql", sql => '\uFEFF' + sql.Replace("\n", "\r\n", StringComparison.Ordinal));
        Assert.Empty((await Look(address, Folder)).Faults);
        Folder.Change("0002_currency.sql", sql => sql.Replace("EUR", "EUr", StringComparison.Ordinal));
        Assert.Equal(MigrationFault.ChecksumMismatch, Assert.Single((await Look(address, Folder)).Faults).Fault);
    }

    [Fact]
    public async Task A_chain_with_a_gap_or_a_duplicate_number_is_refused()
    {
        var address = await EmptyDatabase();
        async Task Expect(string words, Action<TestChain> change)
        {
            using var folder = new TestChain();
            change(folder);
            var refusal = await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address, scripts: folder));
            Assert.Equal(MigrationFault.ChainBroken, refusal.Fault);
            Assert.Contains(words, refusal.Message);
        }

        await Expect("0002 is missing", folder =>
            folder.Change("0002_currency.sql", _ => null).Change("down/0002_currency.sql", _ => null));
        await Expect("have the same number", folder => folder.Change("0002_another.sql", _ => "select 1;"));
        await Expect("name scripts NNNN_name.sql", folder => folder.Change("5_Odd.sql", _ => "select 1;"));
        await Expect("belongs to no script", folder => folder.Change("down/0007_lost.sql", _ => "select 1;"));
        var unreadable = await Assert.ThrowsAsync<MigrationException>(() =>
            Upgrade(address, scripts: Folder.Change("0002_currency.sql", sql => sql + "\nselect 'open")));
        Assert.Equal(MigrationFault.ScriptUnreadable, unreadable.Fault);
        Assert.Contains("line 4", unreadable.Message);
    }

    [Fact]
    public async Task Reset_drops_all_objects_of_the_scripts_in_any_state()
    {
        var address = await EmptyDatabase();
        await Upgrade(address, scripts: Folder);
        await Execute(address, "drop view open_orders");
        if (this is MigratorOnPostgres)
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

    [Fact]
    public async Task Reset_and_stamp_do_not_change_tables_and_journals_of_other_programs()
    {
        var address = await EmptyDatabase();
        await Execute(address, "create table orders (id integer)");
        Assert.Equal(MigrationFault.NotEmpty, (await Assert.ThrowsAsync<MigrationException>(() => Clear(address))).Fault);

        await Execute(address, DbUpJournal);
        await Execute(address, "insert into schemaversions (scriptname, applied) values ('another.sql', '2026-01-01')");
        Assert.Equal(MigrationFault.NewerSchema, (await Assert.ThrowsAsync<MigrationException>(() => Clear(address))).Fault);
        Assert.Equal(MigrationFault.NewerSchema, (await Assert.ThrowsAsync<MigrationException>(() => Stamp(address, "base"))).Fault);
        Assert.Equal(["another.sql"], await Query<string>(address, "select scriptname from schemaversions"));
        Assert.Equal(0, Assert.Single(await Query<long>(address, "select count(*) from orders")));
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
    public async Task A_journal_with_other_columns_is_reported()
    {
        foreach (var (table, sql) in new[]
        {
            // On SQLite every table with a rowid has the column that orders the journal.
            ("schemaversions", this is MigratorOnPostgres
                ? "create table schemaversions (scriptname text, applied text)"
                    : "create table schemaversions (schemaversionsid integer primary key, applied text) without rowid"),
            ("schema_history", "create table schema_history (id integer)"),
        })
        {
            var address = await EmptyDatabase();
            await Execute(address, sql);
            var fault = await Assert.ThrowsAsync<MigrationException>(() => Look(address));
            Assert.Equal(MigrationFault.JournalUnreadable, fault.Fault);
            Assert.Contains(table, fault.Message);
        }
    }

    [Fact]
    public async Task Scripts_that_would_never_be_applied_or_would_change_their_text_are_refused()
    {
        var address = await EmptyDatabase();
        async Task<MigrationException> Refused(Action<string> change)
        {
            using var folder = new TestChain();
            foreach (var engine in new[] { "postgres", "sqlite" })
            {
                change(Path.Combine(folder.Path, engine));
            }

            return await Assert.ThrowsAsync<MigrationException>(() => Upgrade(address, scripts: folder));
        }

        Assert.Equal(MigrationFault.ChainBroken, (await Refused(root => File.WriteAllText(Path.Combine(root, "0005_UP.SQL"), "select 1")))
            .Fault);
        Assert.Contains(
            "would never be applied",
            (await Refused(root =>
                File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(root, "sub")).FullName, "0005_y.sql"),
                    "select 1"))).Message);
        Assert.Contains(
            "is not UTF-8",
            (await Refused(root => File.WriteAllBytes(Path.Combine(root, "0002_currency.sql"), [.. "select 'caf"u8, 0xe9, .. "'"u8])))
                .Message);
    }

    [Fact]
    public async Task The_journal_is_complete_for_DbUp_and_a_DbUp_journal_is_continued()
    {
        var address = await EmptyDatabase();
        await Upgrade(address, scripts: Folder);
        // DbUp's query of its journal returns the names that DbUp's folder provider gives to the files, without
        // subfolders.
        var executed = await Query<string>(address, "select ScriptName from schemaversions order by ScriptName");
        Assert.Equal(Directory.GetFiles(Path.Combine(Folder.Path, "postgres"), "*.sql").Select(Path.GetFileName)
            .Order(StringComparer.Ordinal), executed);

        // The other direction: a journal as DbUp creates it, with two applied scripts.
        var other = await EmptyDatabase();
        await Upgrade(other, "2", Folder);
        await Execute(other, "create table kept as select scriptname, applied from schemaversions order by schemaversionsid");
        await Execute(other, "drop table schemaversions");
        await Execute(other, "drop table schema_history");
        await Execute(other, DbUpJournal);
        await Execute(other, "insert into schemaversions (scriptname, applied) select scriptname, applied from kept");
        await Execute(other, "drop table kept");

        var status = await Look(other, Folder);
        Assert.Equal(("0002_currency", 2), (status.Current, status.Pending.Count));
        Assert.Equal(["0003_state_idx", "0004_touch"], Names(await Upgrade(other, scripts: Folder)));
        Assert.Equal([null, null, 64, 64], (await Look(other, Folder)).Applied.Select(row => row.Checksum?.Length));
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

    private string DbUpJournal => this is MigratorOnPostgres
        ? """create table schemaversions (schemaversionsid serial not null, scriptname character varying(255) not null, applied timestamp without time zone not null, constraint "PK_schemaversions_Id" primary key (schemaversionsid))"""
        : "create table SchemaVersions (SchemaVersionID INTEGER CONSTRAINT 'PK_SchemaVersions_SchemaVersionID' PRIMARY KEY "
            + "AUTOINCREMENT NOT NULL, ScriptName TEXT NOT NULL, Applied DATETIME NOT NULL)";

    private static string[] Head => [.. Data.Migrations.Chain.BuiltIn("postgres").Scripts.Select(script => script.Name)];

    private static string[] Names(IEnumerable<MigrationStep> steps) => [.. steps.Select(step => step.Revision)];

    private static Chain Chain(string address, TestChain? scripts)
    {
        var folder = address.StartsWith("postgres", StringComparison.Ordinal) ? "postgres" : "sqlite";
        return scripts is null ? Data.Migrations.Chain.BuiltIn(folder) : Data.Migrations.Chain.From(scripts.Path, folder);
    }

    private static async Task<T> With<T>(string address, TestChain? scripts, Func<Migrator, Task<T>> work)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        return await work(new Migrator(database, Chain(address, scripts), TimeProvider.System));
    }

    private static Task<List<MigrationStep>> Upgrade(string address, string target = "head", TestChain? scripts = null) =>
        With(address, scripts, migrator => migrator.Upgrade(target, again: false, Ct));

    private Task<List<MigrationStep>> Downgrade(string address, string target) => Downgrade(address, target, Folder);

    private static Task<List<MigrationStep>> Downgrade(string address, string target, TestChain? scripts) =>
        With(address, scripts, migrator => migrator.Downgrade(target, again: false, Ct));

    private Task<string> Stamp(string address, string target, bool force = false) =>
        With(address, force && target == "0004" ? Folder : null, migrator => migrator.Stamp(target, force, Ct));

    private Task<IReadOnlyList<string>> Clear(string address) => With(address, Folder, migrator => migrator.Clear(force: false, Ct));

    private static Task<SchemaStatus> Look(string address, TestChain? scripts = null) =>
        With(address, scripts, migrator => migrator.ReadStatus(Ct));

    private static Task<string> Fingerprint(string address, TestChain? scripts) =>
        With(address, scripts, async migrator => SchemaDescription.Fingerprint(await migrator.Describe(Ct)));

    private static async Task Execute(string address, string sql)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql);
    }

    private static async Task<List<T>> Query<T>(string address, string sql)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return (await connection.QueryAsync<T>(sql)).AsList();
    }

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
