using Catalog.Data.Database;
using Microsoft.Extensions.Configuration;

namespace Catalog.Data.Organizations;

/// <summary>What is removed once it is old.</summary>
public enum RetentionKind
{
    /// <summary>Check results.</summary>
    Results,

    /// <summary>Runs, each with its stages and events.</summary>
    Runs,

    /// <summary>Events of runs that stay.</summary>
    Events,

    /// <summary>Deleted pipelines whose runs and results are gone, each with its versions and tags.</summary>
    Pipelines,
}

/// <summary>For how many days each kind is kept; null: for ever.</summary>
public sealed record RetentionDays(int? Runs, int? Results, int? Events)
{
    /// <summary>The most days that may be asked for, in settings and by an organization: about a hundred years.</summary>
    public const int Most = 36_500;

    /// <summary>What the operator's settings say.</summary>
    /// <exception cref="SettingException">A value that cannot be used.</exception>
    public static RetentionDays Read(IConfiguration configuration) => new(
        Setting.Number(configuration, "DATAXPIPE_RETENTION_RUNS_DAYS", 1, Most, Unset),
        Setting.Number(configuration, "DATAXPIPE_RETENTION_RESULTS_DAYS", 1, Most, Unset),
        Setting.Number(configuration, "DATAXPIPE_RETENTION_EVENTS_DAYS", 1, Most, Unset));

    /// <summary>The days of a kind. A deleted pipeline is kept as long as runs are.</summary>
    public int? Of(RetentionKind kind) => kind switch
    {
        RetentionKind.Results => Results,
        RetentionKind.Events => Events,
        _ => Runs,
    };

    /// <summary>With an organization's own numbers, which may be smaller and never larger. What is no number of days counts as none.</summary>
    internal RetentionDays Or(OrganizationDays own) => new(Smaller(Runs, own.RunsKeptDays), Smaller(Results, own.ResultsKeptDays), Smaller(Events, own.EventsKeptDays));

    private const string Unset = "Leave it out to keep everything.";

    // A zero in the table must not mean that nothing is kept.
    private static int? Smaller(int? operators, long? own) => own is >= 1 and <= Most && !(operators <= own) ? (int)own : operators;
}

internal sealed record OrganizationDays
{
    public required string OrganizationId { get; init; }
    public long? RunsKeptDays { get; init; }
    public long? ResultsKeptDays { get; init; }
    public long? EventsKeptDays { get; init; }
}
