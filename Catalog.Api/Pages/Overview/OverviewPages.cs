using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Api.Overview;
using Catalog.Api.Pipelines;
using Catalog.Api.Runs;
using Catalog.Api.SignIn;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Runs;
using FluentValidation;

namespace Catalog.Api.Pages.Overview;

/// <summary>The first page: what needs attention.</summary>
internal static class OverviewPages
{
    private const int Rows = 10;
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    public static void MapOverviewPage(this IEndpointRouteBuilder pages) =>
        pages.MapGet("", Show).RequiresSession(Scopes.Read).ReadsQuery<RangeQuery>();

    private static async Task<IResult> Show([AsParameters] RangeQuery query, Caller caller, HttpContext context, RunRepository runs,
        OverviewCache cache, CheckStateRepository states, CheckResultRepository results, TimeProvider time,
        CancellationToken ct)
    {
        var range = TimeRange.Choose(query.Range, context);
        var now = time.Now();
        var since = now - range.Length;
        var organization = caller.Organization;
        var failed = new RunFilter { Statuses = [RunStatus.Failed], EndedSince = since, Order = RunOrder.Ended };
        var running = new RunFilter { Statuses = [RunStatus.Running], Order = RunOrder.Started };

        var newest = new RunFilter { Order = RunOrder.Started };
        var ended = new RunFilter { EndedSince = since, Order = RunOrder.Ended };

        // The parts do not depend on each other, so they are read side by side.
        var failedRuns = runs.List(organization, failed, null, Rows, ct, openStagesOnly: true);
        var failedCount = runs.Count(organization, failed, ct);
        var runningRuns = runs.List(organization, running, null, Rows, ct, openStagesOnly: true);
        var runningCount = runs.Count(organization, running, ct);
        // The newest changes come from the runs that started last and from the runs that ended last, because both
        // orders have an index. No index has all events in the order of their receipt.
        var newestRuns = runs.List(organization, newest, null, Rows, ct, openStagesOnly: true);
        var endedRuns = runs.List(organization, ended, null, Rows, ct, openStagesOnly: true);
        var byHour = cache.Hours(organization, range, ct);
        var checks = states.CountByStatus(organization, ct);
        var failing = states.List(organization, new() { Statuses = ["fail", "error"] }, null, Rows, ct);
        var late = cache.Late(organization, ct);
        var rate = results.CountNewest(organization, since, now, ct);
        var rateBefore = results.CountNewest(organization, since - Week, now - Week, ct);
        await Task.WhenAll(
            failedRuns, failedCount, runningRuns, runningCount, newestRuns, endedRuns, byHour, checks, failing, late, rate, rateBefore);

        return PageResult.Of<OverviewPage>((nameof(OverviewPage.Model), new OverviewModel
        {
            Range = range,
            Since = since,
            Now = now,
            Failed = [.. (await failedRuns).Items.Select(RunItem.From)],
            FailedCount = await failedCount,
            Running = [.. (await runningRuns).Items.Select(RunItem.From)],
            RunningCount = await runningCount,
            Changes = RunChange.Newest(
                (await newestRuns).Items.Select(RunItem.From), (await endedRuns).Items.Select(RunItem.From), since, Rows),
            Hours = await byHour,
            Checks = await checks,
            Failing = [.. (await failing).Items.Select(CheckStateItem.From)],
            Late = [.. (await late).Pipelines.Take(Rows).Select(OverdueItem.From)],
            LateCount = new((await late).Pipelines.Count, (await late).Truncated),
            PassRate = PassRateItem.From(await rate),
            PassRateBefore = PassRateItem.From(await rateBefore),
        }));
    }
}

/// <summary>The time range of a page.</summary>
public sealed record RangeQuery
{
    /// <summary>
    /// A number of hours or days up to now, such as <c>24h</c>. Null selects the last choice of the reader.
    /// </summary>
    public string? Range { get; init; }
}

internal sealed class RangeQueryValidator : AbstractValidator<RangeQuery>
{
    public RangeQueryValidator() => RuleFor(query => query.Range)
        .Must(range => range is null || TimeRange.TryParse(range) is not null)
        .WithMessage("must be a number of hours or days, such as 24h or 7d, and at most 31d.");
}

/// <summary>What the first page shows.</summary>
public sealed record OverviewModel
{
    public required TimeRange Range { get; init; }
    public required DateTimeOffset Since { get; init; }
    public required DateTimeOffset Now { get; init; }

    /// <summary>The runs that failed in the range, latest end first; at most ten.</summary>
    public required IReadOnlyList<RunItem> Failed { get; init; }

    public required RowCount FailedCount { get; init; }

    /// <summary>The runs that run now, whenever they started; at most ten.</summary>
    public required IReadOnlyList<RunItem> Running { get; init; }

    public required RowCount RunningCount { get; init; }

    /// <summary>The newest starts and ends of runs in the range; at most ten.</summary>
    public required IReadOnlyList<RunChange> Changes { get; init; }

    public required RunHourCounts Hours { get; init; }

    /// <summary>All checks by the status of their latest result.</summary>
    public required CheckStateCounts Checks { get; init; }

    /// <summary>The checks whose latest result is a failure or an error; at most ten.</summary>
    public required IReadOnlyList<CheckStateItem> Failing { get; init; }

    /// <summary>The pipelines that did not start at the time of their schedule; at most ten.</summary>
    public required IReadOnlyList<OverdueItem> Late { get; init; }

    public required RowCount LateCount { get; init; }
    public required PassRateItem PassRate { get; init; }

    /// <summary>The pass rate of the same range a week earlier.</summary>
    public required PassRateItem PassRateBefore { get; init; }
}
