using Catalog.Api.Http;
using Catalog.Data.Checks;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Checks;

/// <summary>
/// The latest result of a check: the result that was executed last. Of results with the same time, the worst one counts
/// (fail, error, warn, pass).
/// </summary>
public sealed record CheckStateItem
{
    /// <summary>Empty for a standalone check.</summary>
    public required string PipelineId { get; init; }

    public required string CheckId { get; init; }

    /// <summary>pass, warn, fail or error.</summary>
    public required string Status { get; init; }

    /// <summary>error or warn.</summary>
    public required string Severity { get; init; }

    public string? Dataset { get; init; }

    /// <summary>Null when the result has none, or when retention has removed the result.</summary>
    public RawJson? ObservedValue { get; init; }

    /// <summary>Null when the result has none, or when retention has removed the result.</summary>
    public string? Message { get; init; }

    public required string ResultId { get; init; }
    public string? RunId { get; init; }
    public required DateTimeOffset ExecutedAt { get; init; }

    internal static CheckStateItem From(CheckState state) => new()
    {
        PipelineId = state.PipelineId,
        CheckId = state.CheckId,
        Status = state.Status,
        Severity = state.Severity,
        Dataset = state.Dataset,
        ObservedValue = RawJson.From(state.ObservedValue),
        Message = state.Message,
        ResultId = state.ResultId,
        RunId = state.RunId,
        ExecutedAt = state.ExecutedAt,
    };
}

/// <summary>Selects states of checks to list.</summary>
public sealed record CheckStateQuery : CountedListQuery
{
    internal override string List => "check_states";

    /// <summary>
    /// Only checks whose latest result has this status, or one of several statuses separated by commas, such as
    /// <c>fail,error</c>.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>Only checks whose latest result has this severity: error or warn.</summary>
    public string? Severity { get; init; }

    /// <summary>Only checks of this pipeline. An empty value selects only standalone checks.</summary>
    [FromQuery(Name = "pipeline_id"), AllowsEmpty]
    public string? PipelineId { get; init; }

    /// <summary>
    /// Only checks whose id contains this text; the case of ASCII letters is ignored. For each status, only the first
    /// 20,000 checks in the order of pipeline and id are searched.
    /// </summary>
    public string? Text { get; init; }

    internal static string[] Words(string statuses) => statuses.Split(',', StringSplitOptions.TrimEntries);

    internal CheckStateFilter ToFilter() => new()
    {
        Statuses = Status is null ? null : [.. Words(Status).Select(word => CheckStatus.Words[word]).Distinct(StringComparer.Ordinal)],
        Severity = Severity,
        PipelineId = PipelineId,
        Text = Text,
    };
}

internal sealed class CheckStateQueryValidator : ListQueryValidator<CheckStateQuery>
{
    public CheckStateQueryValidator()
    {
        RuleFor(query => query.Status).SetValidator(new FormatRule<CheckStateQuery>(
            "check-statuses", statuses => CheckStateQuery.Words(statuses).All(CheckStatus.Words.ContainsKey),
            "must be one of pass, warn, fail and error, or several of these separated by commas."));
        RuleFor(query => query.Severity).OneOf(CheckSeverity.All);
        RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
        RuleFor(query => query.Text).Text(Validation.MaxKey);
    }
}

/// <summary>The query parameters of the list of a run's results.</summary>
public sealed record RunResultQuery : ListQuery
{
    internal override string List => "run_results";
}

internal sealed class RunResultQueryValidator : ListQueryValidator<RunResultQuery>;
