using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Organizations;

/// <summary>The kinds of data that are removed when they are old.</summary>
public enum RetentionKind
{
    /// <summary>Check results.</summary>
    Results,

    /// <summary>Ended executions of checks.</summary>
    Executions,

    /// <summary>Runs with their stages and events.</summary>
    Runs,

    /// <summary>Events of runs that are still kept.</summary>
    Events,

    /// <summary>Deleted pipelines without runs and results, with their versions and tags.</summary>
    Pipelines,
}

/// <summary>For how many days each kind of data is kept; null means for ever.</summary>
public sealed record RetentionDays(int? Runs, int? Results, int? Events)
{
    /// <summary>The maximum number of days, in settings and for an organization: about a hundred years.</summary>
    public const int MaxDays = 36_500;

    /// <summary>Reads the operator's settings.</summary>
    /// <exception cref="SettingException">A value is not valid.</exception>
    public static RetentionDays Read(IConfiguration configuration) => new(
        Setting.Number(configuration, "DATAXPIPE_RETENTION_RUNS_DAYS", 1, MaxDays, Unset),
        Setting.Number(configuration, "DATAXPIPE_RETENTION_RESULTS_DAYS", 1, MaxDays, Unset),
        Setting.Number(configuration, "DATAXPIPE_RETENTION_EVENTS_DAYS", 1, MaxDays, Unset));

    /// <summary>
    /// The days for a kind of data; null means for ever. Executions are kept as long as results. Deleted pipelines are
    /// kept as long as runs.
    /// </summary>
    public int? Of(RetentionKind kind) => kind switch
    {
        RetentionKind.Results or RetentionKind.Executions => Results,
        RetentionKind.Events => Events,
        _ => Runs,
    };

    /// <summary>
    /// Combines the operator's settings with the settings of an organization: the smaller number applies. An invalid
    /// number of the organization is ignored.
    /// </summary>
    internal RetentionDays LimitedBy(OrganizationDays own) =>
        new(Smaller(Runs, own.RunsKeptDays), Smaller(Results, own.ResultsKeptDays), Smaller(Events, own.EventsKeptDays));

    private const string Unset = "Leave it out to keep everything.";

    // A zero in the table must not delete everything.
    private static int? Smaller(int? operators, long? own) => own is >= 1 and <= MaxDays && !(operators <= own) ? (int)own : operators;
}

internal sealed record OrganizationDays
{
    public required string OrganizationId { get; init; }
    public long? RunsKeptDays { get; init; }
    public long? ResultsKeptDays { get; init; }
    public long? EventsKeptDays { get; init; }
}
