using System.Text.Json;
using System.Text.Json.Nodes;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Checks;
using Catalog.Data.Executions.Kinds;
using Catalog.Data.Schedules;
using FluentValidation;
using Microsoft.OpenApi;

namespace Catalog.Api.Checks;

internal abstract class CheckFieldsValidator<T> : AbstractValidator<T> where T : PutCheck
{
    protected CheckFieldsValidator()
    {
        RuleFor(check => check.Dataset).DatasetName();
        RuleFor(check => check.ConnectionId).OptionalKey();
        RuleFor(check => check.Kind).OptionalKey();
        RuleFor(check => check.Kind).NotNull().When(check => check.Sql is null).WithMessage("is required when there is no sql.");
        RuleFor(check => check.Column).OptionalKey();
        RuleForEach(check => check.Columns).Key();
        RuleFor(check => check.Params).Object();
        RuleFor(check => check.Sql).Text(Validation.MaxMessage);
        RuleFor(check => check.Severity).OneOf(CheckSeverity.All);
        RuleFor(check => check.Warn)
            .SetValidator(new JsonRule<T>(JsonSchemaType.Number | JsonSchemaType.Object, "must be a number or an object."));
        RuleFor(check => check.Fail)
            .SetValidator(new JsonRule<T>(JsonSchemaType.Number | JsonSchemaType.Object, "must be a number or an object."));
        RuleFor(check => check.Schedule).SetValidator(new FormatRule<T>("cron", Cron.IsValid, Cron.Message));
        RuleFor(check => check.ScheduleTimeZone).SetValidator(
            new FormatRule<T>("timezone", IsTimeZone, "must be the IANA name of a time zone, such as Europe/Berlin."));
        RuleFor(check => check).Custom((check, context) =>
        {
            foreach (var (pointer, message) in ExecutionErrors(check))
            {
                context.AddFailure(pointer, message);
            }
        });
    }

    // Other tools have kinds of their own and run them. The definitions of these kinds are only stored. A kind whose
    // name is almost the name of a Catalog kind is a typing error.
    private static IReadOnlyDictionary<string, string> ExecutionErrors(PutCheck check)
    {
        if (check.ConnectionId is null || (check.Kind ?? check.Sql) is null)
        {
            return new Dictionary<string, string>();
        }

        if (check.Kind is { } kind && !CheckDefinition.KindNames.Contains(kind))
        {
            return SpellingSuggestion.FindTypo(kind, CheckDefinition.KindNames) is not { } nearest ? new Dictionary<string, string>()
                : new Dictionary<string, string>
                {
                    ["/kind"] = $"is not a kind that the Catalog runs; the nearest is {nearest}. A kind of another tool needs no "
                        + "connection_id.",
                };
        }

        // Null when the member is absent. The rules above have already validated the type of the member.
        JsonNode? Node(RawJson? value)
        {
            return RawJson.Stored(value) is { } text ? JsonNode.Parse(text) : null;
        }

        var definition = new JsonObject
        {
            ["column"] = check.Column,
            ["columns"] = check.Columns is { } columns ? new JsonArray([.. columns.Select(name => (JsonNode?)name)]) : null,
            ["params"] = Node(check.Params),
            ["sql"] = check.Sql,
            ["warn"] = Node(check.Warn),
            ["fail"] = Node(check.Fail),
        };
        return CheckDefinition.Validate(check.Kind, check.Dataset, JsonSerializer.SerializeToElement(definition));
    }

    private static bool IsTimeZone(string name) => TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.HasIanaId;
}

internal sealed class PutCheckValidator : CheckFieldsValidator<PutCheck>;

internal sealed class PostCheckValidator : CheckFieldsValidator<PostCheck>
{
    public PostCheckValidator()
    {
        RuleFor(check => check.Id).Key().Must(id => id is not ("results" or "states" or "flapping"))
            .WithMessage("must not be results, states or flapping, which are paths of the API.");
        RuleFor(check => check.PipelineId).OptionalKey();
    }
}

internal sealed class CheckQueryValidator : ListQueryValidator<CheckQuery>
{
    public CheckQueryValidator()
    {
        RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
        RuleFor(query => query.Dataset).Text(Validation.MaxDataset);
        RuleFor(query => query.Kind).Text(Validation.MaxKey);
        RuleFor(query => query.Severity).OneOf(CheckSeverity.All);
        RuleFor(query => query.Status).OneOf(CheckStatus.Words);
    }
}

internal sealed class CheckSelectorValidator : AbstractValidator<CheckSelector>
{
    public CheckSelectorValidator() => RuleFor(selector => selector.PipelineId).Text(Validation.MaxKey);
}

internal sealed class HistoryQueryValidator : ListQueryValidator<HistoryQuery>
{
    public HistoryQueryValidator() => RuleFor(query => query.PipelineId).Text(Validation.MaxKey);
}
