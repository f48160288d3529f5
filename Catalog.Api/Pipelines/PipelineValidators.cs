using Catalog.Api.Http;
using Catalog.Api.Runs;
using Catalog.Data.Checks;
using Catalog.Data.Pipelines;
using Catalog.Data.Schedules;
using FluentValidation;
using Microsoft.OpenApi;

namespace Catalog.Api.Pipelines;

internal sealed class PipelineSpecValidator : AbstractValidator<PipelineSpec>
{
    public PipelineSpecValidator()
    {
        RuleFor(pipeline => pipeline.Name).Key().Must(name => name is not "overdue")
            .WithMessage("must not be the word overdue, which is a path of the API.");
        RuleFor(pipeline => pipeline.Version)
            .SetValidator(new JsonRule<PipelineSpec>(JsonSchemaType.String | JsonSchemaType.Number, "must be text or a number."));
        RuleFor(pipeline => pipeline.VersionText()).OptionalKey().Must(version => version is not PipelineVersion.Reported)
            .WithMessage($"must not be {PipelineVersion.Reported}, which is the version of pipelines that events report.")
            .OverridePropertyName("Version")
            .When(pipeline => RawJson.Stored(pipeline.Version) is { } text && text[0] is not ('{' or '[' or 't' or 'f'));
        RuleFor(pipeline => pipeline.Description).Text(Validation.MaxMessage);
        RuleFor(pipeline => pipeline.Owner).Text(Validation.MaxKey);
        RuleFor(pipeline => pipeline.Environment).Text(Validation.MaxKey);
        RuleFor(pipeline => pipeline.Schedule).SetValidator(new FormatRule<PipelineSpec>("cron", Cron.IsValid, Cron.Message));
        RuleForEach(pipeline => pipeline.Tags).Key();
        RuleForEach(pipeline => pipeline.Sources).Present().SetValidator(new SourceSpecValidator()!);
        RuleForEach(pipeline => pipeline.Transforms).Present().SetValidator(new TransformSpecValidator()!);
        RuleForEach(pipeline => pipeline.Targets).Present().SetValidator(new TargetSpecValidator()!);
        RuleForEach(pipeline => pipeline.Checks).Present().SetValidator(new CheckSpecValidator()!);
        RuleForEach(pipeline => pipeline.Edges).Present().SetValidator(new EdgeSpecValidator()!);
        RuleForEach(pipeline => pipeline.Lineage!.Edges).Present().SetValidator(new EdgeSpecValidator()!)
            .When(pipeline => pipeline.Lineage is not null).OverridePropertyName("Lineage.Edges");
        RuleFor(pipeline => pipeline).Custom(ValidateReferences);
    }

    // Checks the rules that need several fields: ids are unique, and the inputs of transforms exist.
    private static void ValidateReferences(PipelineSpec pipeline, ValidationContext<PipelineSpec> context)
    {
        ValidateUnique("Sources", (pipeline.Sources ?? []).Select(source => source?.Id), context);
        ValidateUnique("Transforms", (pipeline.Transforms ?? []).Select(transform => transform?.Id), context);
        ValidateUnique("Targets", (pipeline.Targets ?? []).Select(target => target?.Id), context);
        ValidateUnique("Checks", (pipeline.Checks ?? []).Select(check => check?.Id), context);

        var known = (pipeline.Sources ?? []).Select(source => source?.Id)
            .Concat((pipeline.Transforms ?? []).SelectMany(transform => (transform?.Outputs ?? []).Append(transform?.Id)))
            .ToHashSet(StringComparer.Ordinal);
        foreach (var (t, transform) in (pipeline.Transforms ?? []).Index())
        {
            foreach (var (i, _) in (transform?.Inputs ?? []).Index()
                .Where(input => !known.Contains(input.Item) || input.Item == transform!.Id))
            {
                context.AddFailure($"Transforms[{t}].Inputs[{i}]",
                    "must be the id of a source or of another transform, or the name of an output of a transform.");
            }
        }
    }

    private static void ValidateUnique(string field, IEnumerable<string?> ids, ValidationContext<PipelineSpec> context)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (index, id) in ids.Index())
        {
            if (id is not null && !seen.Add(id))
            {
                context.AddFailure($"{field}[{index}].Id", "must be unique.");
            }
        }
    }
}

internal abstract class EndpointSpecValidator<T> : AbstractValidator<T> where T : EndpointSpec
{
    protected EndpointSpecValidator()
    {
        RuleFor(endpoint => endpoint.Id).Key();
        RuleFor(endpoint => endpoint.Type).Key();
        RuleFor(endpoint => endpoint.ConnectionRef).Key();
        RuleFor(endpoint => endpoint.Object)
            .NotNull().WithMessage("is required: the name of the table, file or other object, or a JSON object that describes it.")
            .SetValidator(new JsonRule<T>(JsonSchemaType.String | JsonSchemaType.Object, "must be a name or an object."))
            .Must(json => json is not { Text: "\"\"" or "null" }).WithMessage("must not be empty.");
    }
}

internal sealed class SourceSpecValidator : EndpointSpecValidator<SourceSpec>
{
    public SourceSpecValidator() => RuleFor(source => source.WatermarkColumn).NotEmpty()
        .When(source => source.LoadMode == "incremental").WithMessage("is required when load_mode is incremental.");
}

internal sealed class TargetSpecValidator : EndpointSpecValidator<TargetSpec>
{
    public TargetSpecValidator()
    {
        RuleFor(target => target.PrimaryKey).NotEmpty().When(target => target.WriteMode == "merge")
            .WithMessage("is required when write_mode is merge.");
        RuleForEach(target => target.PrimaryKey).NotEmpty().WithMessage("must be the name of a column.");
    }
}

internal sealed class TransformSpecValidator : AbstractValidator<TransformSpec>
{
    public TransformSpecValidator() => RuleFor(transform => transform.Id).OptionalKey();
}

internal sealed class CheckSpecValidator : AbstractValidator<CheckSpec>
{
    public CheckSpecValidator()
    {
        RuleFor(check => check.Id).Key();
        RuleFor(check => check.Severity).OneOf(CheckSeverity.All);
        RuleFor(check => check.Kind).Text(Validation.MaxKey);
        RuleFor(check => check.Dataset).DatasetName();
        RuleFor(check => check.ConnectionId).OptionalKey();
    }
}

internal sealed class EdgeSpecValidator : AbstractValidator<EdgeSpec>
{
    public EdgeSpecValidator()
    {
        RuleFor(edge => edge.From).NotNull().WithMessage("is required.").DatasetName();
        RuleFor(edge => edge.To).NotNull().WithMessage("is required.").DatasetName();
    }
}

internal sealed class PipelineQueryValidator : ListQueryValidator<PipelineQuery>
{
    public PipelineQueryValidator()
    {
        RuleFor(query => query.Owner).Text(Validation.MaxKey);
        RuleFor(query => query.Tag).Text(Validation.MaxKey);
        RuleFor(query => query.Environment).Text(Validation.MaxKey);
        RuleFor(query => query.Status).SetValidator(RunStatusFilter.Rule<PipelineQuery>());
        RuleFor(query => query.Q).Text(Validation.MaxKey);
        RuleFor(query => query.Format).OneOf(["export"]);
    }
}

internal sealed class PipelineVersionQueryValidator : ListQueryValidator<PipelineVersionQuery>;
