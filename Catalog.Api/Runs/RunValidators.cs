using Catalog.Api.Http;
using Catalog.Data.Runs;
using FluentValidation;

namespace Catalog.Api.Runs;

internal abstract class RunFieldsValidator<T> : AbstractValidator<T> where T : PatchRun
{
    protected RunFieldsValidator(TimeProvider time)
    {
        RuleFor(run => run.Id).OptionalKey();
        RuleFor(run => run.PipelineId).OptionalKey();
        RuleFor(run => run.Status).OneOf(RunStatus.Words);
        RuleFor(run => run.Attempt).InclusiveBetween(1, RunEvent.MaxAttempt).WithMessage($"must be from 1 to {RunEvent.MaxAttempt}.");
        RuleFor(run => run.StartedAt).NotFarAhead(time);
        RuleFor(run => run.CompletedAt).NotFarAhead(time);
        RuleFor(run => run.RecordsProcessed).Count();
        RuleFor(run => run.ErrorMessage).Text(Validation.MaxMessage);
        RuleFor(run => run.Trigger).Text(Validation.MaxKey);
        RuleFor(run => run.ExternalUrl).Text(2048)
            .SetValidator(new FormatRule<T>("uri", IsWebAddress, "must be an absolute http or https URL."));
        RuleFor(run => run.Metadata).Object();
        RuleForEach(run => run.Stages).Present().SetValidator(new PostedStageValidator(time)!);
    }

    // A web page shows the address as a link, so no other scheme is allowed.
    private static bool IsWebAddress(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps);
}

internal sealed class PatchRunValidator(TimeProvider time) : RunFieldsValidator<PatchRun>(time);

internal sealed class PostRunValidator : RunFieldsValidator<PostRun>
{
    public PostRunValidator(TimeProvider time)
        : base(time)
    {
        RuleFor(run => run.PipelineId).NotNull().WithMessage("is required.");
        RuleFor(run => run.Status).NotNull().WithMessage("is required.");
    }
}

internal abstract class StageFieldsValidator<T> : AbstractValidator<T> where T : PutStage
{
    protected StageFieldsValidator(TimeProvider time)
    {
        RuleFor(stage => stage.Status).NotNull().WithMessage("is required.").OneOf(RunStatus.Words);
        RuleFor(stage => stage.StartedAt).NotFarAhead(time);
        RuleFor(stage => stage.CompletedAt).NotFarAhead(time);
        RuleFor(stage => stage.RecordsProcessed).Count();
        RuleFor(stage => stage.ErrorMessage).Text(Validation.MaxMessage);
    }
}

internal sealed class PutStageValidator(TimeProvider time) : StageFieldsValidator<PutStage>(time);

internal sealed class PostedStageValidator : StageFieldsValidator<PostedStage>
{
    public PostedStageValidator(TimeProvider time)
        : base(time) => RuleFor(stage => stage.StageName).Key();
}

internal sealed class RunQueryValidator : ListQueryValidator<RunQuery>
{
    public RunQueryValidator()
    {
        RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
        RuleFor(query => query.Status).SetValidator(RunStatusFilter.Rule<RunQuery>());
        RuleFor(query => query.Sort).OneOf(["created_at", "started_at", "ended_at"]);
    }
}

internal sealed class RunEventQueryValidator : ListQueryValidator<RunEventQuery>;
