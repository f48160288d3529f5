using System.Text.Json;
using Catalog.Data.Checks;
using Catalog.Data.Executions;
using Catalog.Data.Warehouses;
using Catalog.Tests.Warehouses;
using Microsoft.Extensions.Time.Testing;

namespace Catalog.Tests.Executions;

/// <summary>What the tests of check kinds share: tables on a real warehouse, and runs of checks.</summary>
public abstract class CheckRunTestBase(WarehouseSource source, string text, string time)
{
    private readonly List<WarehouseSession> _sessions = [];

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected WarehouseSource Source { get; } = source;

    protected List<HistoryPoint> History { get; } = [];

    protected HashSet<string> Pii { get; } = [];

    protected FakeTimeProvider Clock { get; } = new(new(2026, 1, 6, 0, 0, 0, TimeSpan.Zero));

    protected int Statements => _sessions.Sum(session => session.Statements);

    /// <summary>A member of a verdict's metadata as JSON; null when there is none.</summary>
    protected static string? Fact(CheckVerdict verdict, string name) => verdict.Metadata is { } json
        && JsonDocument.Parse(json).RootElement.TryGetProperty(name, out var value) ? value.GetRawText() : null;

    protected static string? Sample(CheckVerdict verdict) => Fact(verdict, "samples");

    /// <summary>Runs definitions of checks of the table <c>people</c>, together.</summary>
    protected async Task<List<CheckVerdict>> Run(params string[] definitions)
    {
        await using var warehouse = Source.Create();
        var verdicts = new Dictionary<string, CheckVerdict>(StringComparer.Ordinal);
        var checks = definitions.Select((definition, i) => new Check
        {
            Id = $"{i}",
            PipelineId = "",
            Dataset = "people",
            ConnectionId = "warehouse",
            Kind = JsonDocument.Parse(definition).RootElement.GetProperty("kind").GetString(),
            Severity = CheckSeverity.Error,
            Definition = definition,
            CreatedAt = default,
            UpdatedAt = default,
        }).ToList();
        await CheckRunner.Run(checks, new()
        {
            Open = async (_, ct) =>
            {
                var session = await warehouse.Open(new(), ct);
                _sessions.Add(session);
                return session;
            },
            History = (_, count, _) => Task.FromResult<IReadOnlyList<HistoryPoint>>([.. History.Take(count)]),
            PiiColumns = (_, _, _) => Task.FromResult<IReadOnlySet<string>>(Pii),
            Time = Clock,
        }, verdict =>
        {
            verdicts.Add(verdict.Check.Id, verdict);
            return Task.CompletedTask;
        }, Ct);
        return [.. checks.Select(check => verdicts[check.Id])];
    }

    /// <summary>Creates <c>people</c> with six rows, the empty <c>nobody</c> and <c>parents</c>.</summary>
    protected async Task CreateTables()
    {
        await using var warehouse = Source.Create();
        var odd = warehouse.Sql.Quote("Select \"x\" `y`");
        var columns = $"(id integer, name {text}, amount decimal(10, 2), created {time}, grp {text}, note {text}, {odd} integer)";
        await Source.Execute("drop table if exists people", "drop table if exists nobody", "drop table if exists parents",
            $"create table people {columns}", $"create table nobody {columns}", $"create table parents (grp {text})",
            """
            insert into people values (1, 'ann', 10, '2026-01-01 00:00:00', 'a', ' ', 1), (2, 'bob', 20, '2026-01-02 00:00:00', 'a', 'x', null),
                (3, 'bob', 30, '2026-01-03 00:00:00', 'b', null, null), (4, null, 40, '2026-01-04 00:00:00', 'b', 'null', null),
                (5, 'Éva', null, '2026-01-05 00:00:00', 'b', 'y', null), (6, 'o''hara', 50, null, 'c', 'z', null)
            """, "insert into parents values ('a'), ('b')");
    }
}
