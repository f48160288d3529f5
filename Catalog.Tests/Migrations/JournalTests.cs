using Catalog.Data.Migrations;
using Catalog.Tests.Support;

namespace Catalog.Tests.Migrations;

public sealed class JournalOnSqlite() : JournalTests("sqlite");

public sealed class JournalOnPostgres : JournalTests, IClassFixture<PostgresTestDatabase>
{
    public JournalOnPostgres(PostgresTestDatabase database)
        : base("postgres") => database.Require();
}

/// <summary>What the journal records, and which journals and chains are refused.</summary>
public abstract class JournalTests(string engine) : MigratorSteps(engine)
{
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

    [Fact]
    public async Task A_journal_with_other_columns_is_reported()
    {
        foreach (var (table, sql) in new[]
        {
            // On SQLite the journal is sorted by rowid. Only a table without rowid lacks this column.
            ("schemaversions", IsPostgres
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
}
