using System.Globalization;
using Catalog.Api.Http;
using Catalog.Data.Checks;
using FluentValidation;

namespace Catalog.Api.Checks;

/// <summary>One result of one check.</summary>
public sealed record PostCheckResult
{
    /// <summary>The result's id, chosen by the client so that a retry is safe; made here when it is left out.</summary>
    public string? Id { get; init; }

    /// <summary>The pipeline, which must be registered.</summary>
    public string? PipelineId { get; init; }

    /// <summary>The check; it need not be defined yet.</summary>
    public string? CheckId { get; init; }

    /// <summary>The run that it belongs to; it need not be known yet.</summary>
    public string? RunId { get; init; }

    /// <summary>
    /// pass, warn, fail, or error: the check could not be evaluated and nothing is known about the data. Other tools' words for these are understood,
    /// in any letter case. Required where there is no <c>success</c>.
    /// </summary>
    public string? Status { get; init; }

    /// <summary>What Great Expectations writes in the place of a status: true is pass, false is fail.</summary>
    public bool? Success { get; init; }

    /// <summary>error (the default): a failure marks the run failed; warn: it does not.</summary>
    public string? Severity { get; init; }

    /// <summary>The dataset that was checked, by its id.</summary>
    public string? Dataset { get; init; }

    /// <summary>What was measured: any JSON value, given back as sent; at most 65,536 characters as they are written.</summary>
    public RawJson? ObservedValue { get; init; }

    /// <summary>What was expected: any JSON value, given back as sent; at most 65,536 characters as they are written.</summary>
    public RawJson? Expected { get; init; }

    /// <summary>How many rows failed, 0 or more.</summary>
    public long? FailedRows { get; init; }

    /// <summary>How many rows were looked at, 0 or more.</summary>
    public long? TotalRows { get; init; }

    /// <summary>For people, at most 64 KiB.</summary>
    public string? Message { get; init; }

    /// <summary>When the check was executed, RFC 3339; without an offset it is UTC. Left out, it is now.</summary>
    public DateTimeOffset? ExecutedAt { get; init; }

    /// <summary>How long that took, in seconds, 0 or more.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>An object of the client's own, given back as sent; at most 65,536 characters as they are written.</summary>
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

    // SQLite keeps no negative zero; that plus zero is zero.
    private static double? Number(string? json) =>
        json is ['-' or (>= '0' and <= '9'), ..] && double.TryParse(json, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number + 0.0
            : null;
}

internal sealed class PostCheckResultValidator : AbstractValidator<PostCheckResult>
{
    public PostCheckResultValidator()
    {
        RuleFor(result => result.Id).OptionalKey();
        RuleFor(result => result.PipelineId).Key();
        RuleFor(result => result.CheckId).Key();
        RuleFor(result => result.RunId).OptionalKey();
        RuleFor(result => result.Status).Word(CheckStatus.Words);
        RuleFor(result => result.Status).NotNull().When(result => result.Success is null).WithMessage("is required, or success in its place.");
        RuleFor(result => result.Success)
            .Must((result, success) => success is null || result.Status is null || !CheckStatus.Words.TryGetValue(result.Status, out var word) || success == word is CheckStatus.Pass || word is CheckStatus.Warn)
            .WithMessage("says something else than status; leave one of the two out.");
        RuleFor(result => result.Severity).Word(CheckSeverity.All);
        RuleFor(result => result.Dataset).DatasetName();
        RuleFor(result => result.FailedRows).Count();
        RuleFor(result => result.TotalRows).Count();
        RuleFor(result => result.Message).Text(Validation.MaxMessage);
        RuleFor(result => result.DurationSeconds).InclusiveBetween(0, double.MaxValue).WithMessage("must be 0 or more, and finite.");
        RuleFor(result => result.ObservedValue).Value();
        RuleFor(result => result.Expected).Value();
        RuleFor(result => result.Metadata).Object();
    }
}
