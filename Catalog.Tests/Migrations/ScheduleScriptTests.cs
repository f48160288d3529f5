using Catalog.Data.Checks;
using Catalog.Data.Executions;
using Catalog.Data.Migrations;
using Catalog.Tests.Support;

namespace Catalog.Tests.Migrations;

public sealed class ScheduleScriptOnSqlite(SqliteTestDatabase database) : ScheduleScriptTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ScheduleScriptOnPostgres(PostgresTestDatabase database) : ScheduleScriptTests(database),
    IClassFixture<PostgresTestDatabase>;

/// <summary>Script 0023 on a database whose definitions are older than schedules.</summary>
public abstract class ScheduleScriptTests(TestDatabase database)
{
    private const string Organization = "default";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Definitions_of_an_earlier_release_get_their_ticks_and_nothing_is_executed()
    {
        var db = database.Require();
        var checks = new CheckRepository(db.Database);
        foreach (var (id, connection, schedule) in new[]
        {
            ("scheduled", "w", "\"0 * * * *\""), ("unscheduled", "w", "null"), ("unreadable", "w", "\"each day\""),
            ("external", null, "\"0 * * * *\""),
        })
        {
            await checks.Insert(Organization, new()
            {
                Id = id,
                PipelineId = "",
                ConnectionId = connection,
                Kind = "row_count",
                Severity = CheckSeverity.Error,
                Definition = $$"""{"schedule":{{schedule}}}""",
                CreatedAt = DateTimeOffset.UnixEpoch,
                UpdatedAt = DateTimeOffset.UnixEpoch,
            }, Ct);
        }

        await Execute("delete from check_schedules");
        await using var migrations = MigrationDatabase.Open(db.Settings);
        var migrator = new Migrator(migrations, Chain.BuiltIn(migrations.Dialect.Folder), TimeProvider.System);
        await migrator.Downgrade("0022", again: false, Ct);
        await migrator.Upgrade("0023", again: false, Ct);
        Assert.Equal(["scheduled 0", "unreadable 0", "unscheduled 0"], await Ticks());

        var now = new DateTimeOffset(2026, 1, 31, 12, 30, 0, TimeSpan.Zero);
        var ticks = new ScheduleTicks(db.Database);
        Assert.Equal([Organization], await ticks.DueOrganizations(now, Ct));
        Assert.Equal((3, false), await ticks.Run(Organization, now, 100, Ct));

        Assert.Equal([$"scheduled {now.AddMinutes(30).ToUnixTimeMilliseconds()}"], await Ticks());
        Assert.Empty(await db.Database.Many<string>(Organization, "select id from executions", null, Ct));
        Assert.Equal((0, false), await ticks.Run(Organization, now, 100, Ct));
    }

    private Task<List<string>> Ticks() => database.Database.Many<string>(Organization,
        "select check_id || ' ' || cast(due_ms as text) from check_schedules order by check_id", null, Ct);

    private Task<int> Execute(string sql) => database.Database.Write(Organization, session => session.Execute(sql, null, Ct), Ct);
}
