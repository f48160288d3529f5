using System.Globalization;
using Catalog.Api.Http;
using Catalog.Data.Checks;
using FluentValidation;

namespace Catalog.Api.Checks;

/// <summary>One result of a check.</summary>
public sealed record PostCheckResult
{
    /// <summary>
    /// The result's id. If the client chooses it, a retry is safe. If it is left out, the service derives it from the
    /// Idempotency-Key, or generates it when there is no key.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>The id of the pipeline. The pipeline must be registered.</summary>
    public string? PipelineId { get; init; }

    /// <summary>The id of the check. The check need not be defined yet.</summary>
    public string? CheckId { get; init; }

    /// <summary>The id of the run that produced the result. The run need not be known yet.</summary>
    public string? RunId { get; init; }

    /// <summary>
    /// pass, warn, fail or error. error means that the check could not be evaluated, so the result says nothing about
    /// the data. Other tools' words for these statuses are accepted too, in any letter case. Required when
    /// <c>success</c> is left out.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>Great Expectations sends this instead of a status: true is pass, false is fail.</summary>
    public bool? Success { get; init; }

    /// <summary>
    /// error (the default): a failure marks the run failed. warn: a failure does not mark the run failed.
    /// </summary>
    public string? Severity { get; init; }

    /// <summary>The id of the checked dataset.</summary>
    public string? Dataset { get; init; }

    /// <summary>The measured value: any JSON value, returned as sent; at most 65,536 characters of JSON text.</summary>
    public RawJson? ObservedValue { get; init; }

    /// <summary>The expected value: any JSON value, returned as sent; at most 65,536 characters of JSON text.</summary>
    public RawJson? Expected { get; init; }

    /// <summary>The number of rows that failed, 0 or more.</summary>
    public long? FailedRows { get; init; }

    /// <summary>The number of checked rows, 0 or more.</summary>
    public long? TotalRows { get; init; }

    /// <summary>A text for people, at most 65,536 characters.</summary>
    public string? Message { get; init; }

    /// <summary>
    /// When the check was executed, in RFC 3339. A time without an offset is UTC. The default is the current time. The
    /// time may be at most 24 hours ahead of the service's clock, because a result far in the future would stay the
    /// latest result and hide all later results.
    /// </summary>
    public DateTimeOffset? ExecutedAt { get; init; }

    /// <summary>The duration of the execution in seconds, 0 or more.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>
    /// An object with the client's own data, returned as sent; at most 65,536 characters of JSON text.
    /// </summary>
    public RawJson? Metadata { get; init; }

    internal CheckResult ToResult(string id, byte[] hash, DateTimeOffset now) => new()
    {
        Id = id,
        PipelineId = PipelineId!,
        CheckId = CheckId!,
        RunId = RunId,
        Status = Status is not null ? CheckStatus.Words[Status] : Success == true ? CheckStatus.Pass : CheckStatus.Fail,
        Severity = Severity ?? CheckSeverity.Error,
        Dataset = Dataset,
        ObservedValue = RawJson.Stored(ObservedValue),
        ObservedNumber = Number(RawJson.Stored(ObservedValue)),
        Expected = RawJson.Stored(Expected),
        FailedRows = FailedRows,
        TotalRows = TotalRows,
        Message = Message,
        ExecutedAt = ExecutedAt ?? now,
        DurationSeconds = DurationSeconds + 0.0,
        Metadata = RawJson.Stored(Metadata),
        RequestHash = hash,
        CreatedAt = now,
    };

    // SQLite does not store a negative zero. Adding zero makes it positive.
    private static double? Number(string? json) =>
        json is ['-' or (>= '0' and <= '9'), ..] && double.TryParse(json, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number)
            ? number + 0.0
            : null;
}

internal sealed class PostCheckResultValidator : AbstractValidator<PostCheckResult>
{
    public PostCheckResultValidator(TimeProvider time)
    {
        RuleFor(result => result.Id).OptionalKey();
        RuleFor(result => result.PipelineId).Key();
        RuleFor(result => result.CheckId).Key();
        RuleFor(result => result.RunId).OptionalKey();
        RuleFor(result => result.Status).OneOf(CheckStatus.Words);
        RuleFor(result => result.Status).NotNull().When(result => result.Success is null)
            .WithMessage("is required, or success in its place.");
        RuleFor(result => result.Success)
            .Must((result, success) => success is null || result.Status is null || !CheckStatus.Words.TryGetValue(
                result.Status, out var word) || success == word is CheckStatus.Pass || word is CheckStatus.Warn)
            .WithMessage("contradicts status; leave one of the two out.");
        RuleFor(result => result.Severity).OneOf(CheckSeverity.All);
        RuleFor(result => result.Dataset).DatasetName();
        RuleFor(result => result.FailedRows).Count();
        RuleFor(result => result.TotalRows).Count();
        RuleFor(result => result.Message).Text(Validation.MaxMessage);
        RuleFor(result => result.ExecutedAt).NotFarAhead(time, ": then it is the current time");
        RuleFor(result => result.DurationSeconds).InclusiveBetween(0, double.MaxValue).WithMessage("must be 0 or more, and finite.");
        RuleFor(result => result.ObservedValue).Value();
        RuleFor(result => result.Expected).Value();
        RuleFor(result => result.Metadata).Object();
    }
}
