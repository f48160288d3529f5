using System.Data.Common;
using System.Text.Json;
using Catalog.Data.Migrations;
using Catalog.Data.Organizations;
using Catalog.Migrations.Retention;
using Catalog.Tests.Support;
using Dapper;
using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Retention;

/// <summary>
/// Rows and removals for the tests of retention. Each test has its own database, because retention covers all organizations.
/// </summary>
public abstract class RetentionSteps : IAsyncLifetime
{
    private int _rows;
    private DbConnection? _connection;

    protected RetentionSteps(TestDatabase database) => Database = database.Require();

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected TestDatabase Database { get; }

    protected FakeTimeProvider Clock { get; } = FakeTimeProvider.AtFixedTime();

    protected DateTimeOffset Now => Clock.GetUtcNow();

    protected MigrationDatabase Migrations { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await Database.InitializeAsync();
        Migrations = MigrationDatabase.Open(Database.Settings);
    }

    public async ValueTask DisposeAsync()
    {
        await (_connection?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Migrations.DisposeAsync();
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected DateTimeOffset Days(int days) => Now.AddDays(days);

    protected static string Text(RemovalReport report) => string.Join('|', report.Items.Select(item =>
        $"{item.Organization} {JsonNamingPolicy.SnakeCaseLower.ConvertName(item.Kind.ToString())} "
            + $"{string.Join(' ', item.Rows.Select(table => $"{table.Table}={table.Rows}"))}"));

    protected Task<RemovalReport> Count(RetentionDays days) => Removal(days).Count(RemovalScope.All, Ct);

    protected Task<RemovalReport> Apply(RetentionDays days, int batch = 5000) => Removal(days, batch).Apply(RemovalScope.All, Ct);

    protected OldDataRemoval Removal(RetentionDays days, int batch = 5000) => new(Migrations, days, Clock, LimitsOf(batch));

    protected static RemovalLimits LimitsOf(int batch) => new() { Batch = batch, Pause = TimeSpan.Zero };

    protected Task Result(string organization, string id, DateTimeOffset executed, DateTimeOffset? created = null, string pipeline = "p",
        string? run = null, string status = "pass", string check = "c") => Execute("""
        insert into check_results (organization_id, id, pipeline_id, check_id, run_id, status, severity, executed_at, request_hash, created_at)
        values (@organization, @id, @pipeline, @check, @run, @status, 'error', @executed, @hash, @created)
        """, new { organization, id, pipeline, check, run, status, executed, hash = Array.Empty<byte>(), created = created ?? executed });

    // Replaces the states of a check, and of the check within a run.
    protected Task State(string organization, string check, string result, DateTimeOffset executed, string run) => Execute("""
        delete from check_states where organization_id = @organization and check_id = @check;
        insert into check_states (organization_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at)
        values (@organization, 'p', @check, @result, 'pass', 'error', 0, @executed);
        delete from run_check_states where organization_id = @organization and check_id = @check and run_id = @run;
        insert into run_check_states (organization_id, run_id, pipeline_id, check_id, result_id, status, severity, rank, executed_at)
        values (@organization, @run, 'p', @check, @result, 'pass', 'error', 0, @executed)
        """, new { organization, check, result, executed, run });

    protected async Task Run(string organization, string id, DateTimeOffset created, string? reported = "completed",
        DateTimeOffset? updated = null, string pipeline = "p", DateTimeOffset[]? events = null, int stages = 0, string? gate = null)
    {
        await Execute("""
            insert into runs (organization_id, id, pipeline_id, status, reported_status, gate_check_id, created_at, updated_at)
            values (@organization, @id, @pipeline, @status, @reported, @gate, @created, @updated)
            """, new { organization, id, pipeline, status = gate is null ? reported ?? "pending" : "failed", reported, gate, created, updated = updated ?? created });
        foreach (var received in events ?? [])
        {
            await Execute(
                "insert into run_events (organization_id, run_id, digest, body, received_at) values (@organization, @id, @digest, "
                    + "'{}', @received)",
                new { organization, id, digest = BitConverter.GetBytes(_rows++), received });
        }

        for (var stage = 0; stage < stages; stage++)
        {
            await Execute(
                "insert into run_stages (organization_id, run_id, stage_name, status) values (@organization, @id, @stage, 'completed')",
                new { organization, id, stage = $"{stage}" });
        }
    }

    protected async Task Pipeline(string organization, string id, DateTimeOffset? deleted)
    {
        await Execute("""
            insert into pipelines (organization_id, id, current_version, search_key, created_at, updated_at, deleted_at)
            values (@organization, @id, '1', '', @created, @created, @deleted)
            """, new { organization, id, created = Days(-100), deleted });
        await Execute(
            "insert into pipeline_versions (organization_id, pipeline_id, version, body, body_hash, created_at) values "
                + "(@organization, @id, '1', '{}', @hash, @created)",
            new { organization, id, hash = Array.Empty<byte>(), created = Days(-100) });
        await Execute("insert into pipeline_tags (organization_id, pipeline_id, tag) values (@organization, @id, 't')",
            new { organization, id });
    }

    protected async Task Execution(string organization, string id, DateTimeOffset created, DateTimeOffset? finished)
    {
        await Execute("""
            insert into executions (organization_id, id, status, due_ms, created_at, finished_at)
            values (@organization, @id, @status, @due, @created, @finished)
            """, new
        {
            organization,
            id,
            status = finished is null ? "queued" : "completed",
            due = finished is null ? 1L : (long?)null,
            created,
            finished
        });
        await Execute("""
            insert into execution_checks (organization_id, execution_id, place, pipeline_id, check_id, severity)
            values (@organization, @id, 0, '', 'c', 'error')
            """, new { organization, id });
    }

    protected Task Organization(string id, long? runs = null, long? results = null, long? events = null) => Execute("""
        insert into organizations (organization_id, name, plan, runs_kept_days, results_kept_days, events_kept_days, created_at, updated_at)
        values (@id, @id, 'free', @runs, @results, @events, @now, @now)
        """, new { id, runs, results, events, now = Now });

    // Fills three organizations with old and recent rows of every kind.
    protected async Task FillAll()
    {
        await Organization("b", runs: 15, results: 40);
        foreach (var organization in new[] { "a", "b", "default" })
        {
            for (var i = 0; i < 20; i++)
            {
                await Run(organization, $"r{i}", Days(-i * 3), i % 7 == 0 ? "running" : "completed", updated: Days(-i),
                    pipeline: $"p{i % 4}", events: [Days(-i * 3), Days(-i * 2), Days(-i)], stages: i % 3);
                await Result(organization, $"x{i}", Days(-i * 3), created: Days(i % 5 == 0 ? -1 : -i * 3), pipeline: $"p{i % 4}",
                    run: $"r{i}");
                await Execution(organization, $"e{i}", Days(-i * 3), i % 6 == 0 ? null : Days(-i * 3));
            }

            // The history of these pipelines is old or empty.
            await Run(organization, "last of p5", Days(-60), pipeline: "p5", events: [Days(-60)]);
            await Result(organization, "last of p6", Days(-60), pipeline: "p6");
            for (var i = 0; i < 8; i++)
            {
                await Pipeline(organization, $"p{i}", i < 3 ? null : Days(-50));
            }
        }
    }

    protected async Task Execute(string sql, object? parameters)
    {
        // On SQLite an open writer blocks others. On Postgres one connection serves hundreds of writes, because the
        // migrator has no pool.
        if (Database is SqliteTestDatabase)
        {
            await using var connection = await Migrations.Source.OpenConnectionAsync(Ct);
            await connection.ExecuteAsync(sql, parameters);
            return;
        }

        _connection ??= await Migrations.Source.OpenConnectionAsync(Ct);
        await _connection.ExecuteAsync(sql, parameters);
    }

    protected async Task<List<string>> Ids(string table, string column = "id")
    {
        await using var connection = await Migrations.Reads.OpenConnectionAsync(Ct);
        return [.. (await connection.QueryAsync<string>($"select organization_id || '/' || {column} from {table}"))
            .Order(StringComparer.Ordinal)];
    }

    protected async Task<List<string>> Rows(string table)
    {
        await using var connection = await Migrations.Reads.OpenConnectionAsync(Ct);
        return [.. (await connection.QueryAsync($"select * from {table}"))
            .Select(row =>
                string.Join('|', ((IDictionary<string, object?>)row).Select(cell => cell.Value is byte[] bytes
                    ? Convert.ToHexString(bytes) : $"{cell.Value}"))).Order(StringComparer.Ordinal)];
    }

    protected async Task<string> Everything()
    {
        var rows = new List<string>();
        foreach (var table in new[] { "runs", "run_stages", "run_events", "check_results", "check_states", "run_check_states",
            "run_attempts", "executions", "execution_checks", "pipelines", "pipeline_versions", "pipeline_tags", "organizations",
            "audit_log" })
        {
            rows.AddRange(await Rows(table));
        }

        return string.Join('\n', rows);
    }

    protected async Task<long> AuditedRows()
    {
        await using var connection = await Migrations.Reads.OpenConnectionAsync(Ct);
        return (await connection.QueryAsync<string>("select detail from audit_log where actor = 'retention'"))
            .Sum(detail => JsonDocument.Parse(detail).RootElement.EnumerateObject()
                .Where(property => property.Name is not ("before" or "kept_days")).Sum(property => property.Value.GetInt64()));
    }
}
