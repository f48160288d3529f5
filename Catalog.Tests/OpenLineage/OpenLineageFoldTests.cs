using System.Text.Json;
using Catalog.Data.Events;
using Catalog.Data.Migrations;
using Catalog.Data.OpenLineage;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.OpenLineage;

public sealed class OpenLineageFoldOnSqlite : OpenLineageFoldTests
{
    protected override TestDatabase New() => new SqliteTestDatabase();
}

public sealed class OpenLineageFoldOnPostgres : OpenLineageFoldTests
{
    protected override TestDatabase New() => new PostgresTestDatabase();
}

/// <summary>Everything that OpenLineage events say is a fold: their order, repetition and batches do not change the tables.</summary>
public abstract class OpenLineageFoldTests
{
    private const string Postgres = "postgres://db:5432";

    internal static readonly DateTimeOffset Now = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    // The columns that depend on the receipt of an event are left out.
    private static readonly string[] Tables =
    [
        "select dialect, digest, run_id, pipeline_id, event_time, body from lineage_events",
        "select id, current_version, description, owner, search_key, deleted_at from pipelines",
        "select pipeline_id, tag from pipeline_tags",
        "select pipeline_id, version, body from pipeline_versions",
        """
        select id, pipeline_id, status, reported_status, started_at, completed_at, records_processed, error_message, check_gate,
            gate_check_id
        from runs
        """,
        "select run_id, stage_name, status, started_at, completed_at, records_processed, error_message from run_stages",
        """
        select id, pipeline_id, check_id, run_id, status, severity, dataset, observed_value, expected, message, executed_at
        from check_results
        """,
        "select pipeline_id, check_id, result_id, status from check_states",
        "select id, namespace, name from datasets",
        "select subject, subject_id, facet, value_hash, value, first_at, last_at from facets",
        "select run_id, pipeline_id, first_at, last_at, completed, has_edges, parent_run_id, parent_job, root_run_id from lineage_runs",
        "select run_id, direction, dataset, first_at, last_at, row_count, byte_count, file_count, measured_at from run_datasets",
        "select upstream, downstream, pipeline_id, valid_from, valid_to, last_at from lineage_edges",
        "select downstream, downstream_column, upstream, upstream_column, pipeline_id, transformation, first_at, last_at from column_edges",
        "select alias, namespace, name, dataset from dataset_aliases",
        "select place, facet, reason, events, first_at, last_at from unread_facets",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract TestDatabase New();

    [Theory]
    [InlineData(3)]
    [InlineData(100, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Real_events_give_equal_tables_in_any_order(int shuffles)
    {
        List<string> events =
        [
            .. RealInput.Files("openlineage/airflow").Select(File.ReadAllText),
            .. RealInput.Files("openlineage/marquez").SelectMany(File.ReadLines).Where(line => line.Trim().Length > 0),
        ];

        await AssertFoldsEqually(events, shuffles);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100, Explicit = true, Traits = ["Category", "Long"])]
    public async Task Histories_give_equal_tables_in_any_order(int shuffles) =>
        await AssertFoldsEqually([.. Enumerable.Range(0, 3).SelectMany(seed => History(new Random(seed)))], shuffles);

    private async Task AssertFoldsEqually(List<string> events, int shuffles)
    {
        var expected = await Fold(events, batch: 1);
        Assert.Equal(expected, await Fold([.. events, .. events], batch: 7));
        Assert.Equal(expected, await Fold(events.AsEnumerable().Reverse(), batch: 1));
        for (var seed = 0; seed < shuffles; seed++)
        {
            var random = new Random(seed);
            var shuffled = events.Concat(events.Where(_ => random.Next(3) == 0)).ToArray();
            random.Shuffle(shuffled);

            Assert.Equal(expected, await Fold(shuffled, batch: random.Next(1, 20)));
        }
    }

    private async Task<string> Fold(IEnumerable<string> events, int batch)
    {
        await using var database = New();
        await database.InitializeAsync();
        var store = new EventStore(database.Require().Database);
        foreach (var part in events.Select(Read).Chunk(batch))
        {
            await store.Store([("default", part)]);
        }

        await using var migrations = MigrationDatabase.Open(database.Settings);
        await using var connection = await migrations.Source.OpenConnectionAsync(Ct);
        List<string> rows = [];
        foreach (var sql in Tables)
        {
            List<string> table = [];
            foreach (IDictionary<string, object?> row in await connection.QueryAsync(sql))
            {
                table.Add(string.Join(" | ", row.Values.Select(Text)));
            }

            rows.Add(sql);
            rows.AddRange(table.Order(StringComparer.Ordinal));
        }

        Assert.True(rows.Count > Tables.Length + 50);
        return string.Join('\n', rows);
    }

    private static string Text(object? value) => value switch
    {
        null => "null",
        byte[] bytes => Convert.ToHexString(bytes),
        DateTime time => time.ToString("O", null),
        IFormattable number => number.ToString(null, null),
        _ => value.ToString()!,
    };

    internal static LoggedEvent Read(string text) => Read(text, Now);

    internal static LoggedEvent Read(string text, DateTimeOffset receivedAt)
    {
        using var json = JsonDocument.Parse(text);
        var (@event, errors) = OpenLineageEvent.Read(json.RootElement, receivedAt);
        Assert.Null(errors);
        return @event!;
    }

    // Runs of two jobs whose inputs, outputs, facets, aliases and results change from run to run.
    internal static IEnumerable<string> History(Random random)
    {
        var at = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddHours(random.Next(1000));
        for (var run = 0; run < 6; run++)
        {
            var documentation = new { description = $"version {run / 3}" };
            var job = new { @namespace = "airflow", name = $"dag.task{random.Next(2)}", facets = new { documentation } };
            var id = $"run-{random.Next(1_000_000)}";
            var parent = new { run = new { runId = $"dag-{id}" }, job = new { @namespace = "airflow", name = "dag" } };
            object Dataset(int number) => new
            {
                @namespace = Postgres,
                name = $"shop.public.t{number}",
                facets = new Dictionary<string, object>
                {
                    ["schema"] = new { fields = new[] { new { name = "id", type = random.Next(2) == 0 ? "int" : "bigint" } } },
                    ["symlinks"] = new
                    {
                        identifiers = random.Next(4) > 0
                            ? [] : new[] { new { @namespace = "hive", name = $"t{number % 3}", type = "TABLE" } },
                    },
                    ["dataQualityAssertions"] = new
                    {
                        assertions = new[] { new { assertion = "not_null", column = "id", success = random.Next(4) > 0 } },
                    },
                    ["columnLineage"] = new
                    {
                        fields = new
                        {
                            id = new { inputFields = new[] { new { @namespace = Postgres, name = "shop.public.t1", field = "id" } } },
                        },
                    },
                },
            };
            object Event(string type, int minutes, object[] inputs, object[] outputs) => new
            {
                eventType = type,
                eventTime = at.AddMinutes(minutes).ToString("O"),
                run = new { runId = id, facets = new { parent } },
                job,
                inputs,
                outputs,
                producer = "test",
            };

            yield return JsonSerializer.Serialize(Event("START", 0, [Dataset(random.Next(5)), Dataset(random.Next(5))], []));
            yield return JsonSerializer.Serialize(Event("RUNNING", 1, [], [Dataset(random.Next(5))]));
            yield return JsonSerializer.Serialize(Event(random.Next(4) == 0 ? "FAIL" : "COMPLETE", 2, [], [Dataset(5 + random.Next(3))]));
            at = at.AddMinutes(30);
        }
    }
}
