using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Pipelines;
using FluentValidation;

namespace Catalog.Api.Pipelines;

/// <summary>
/// Reads the body of a registration: one pipeline or an array of pipelines. One invalid pipeline makes the whole
/// request invalid.
/// </summary>
internal static class PostedPipelines
{
    public static (IReadOnlyList<NewPipeline> Pipelines, Problem? Refusal) Read(JsonElement body, IValidator<PipelineSpec> validator,
        PipelineCheckValidator checks)
    {
        if (body.ValueKind != JsonValueKind.Array)
        {
            var errors = new Dictionary<string, string[]>();
            var pipeline = ReadOne(body, "", validator, checks, errors);
            return errors.Count == 0 ? ([pipeline!], null) : ([], Problems.Invalid(errors));
        }

        return body.GetArrayLength() > RequestLimits.BulkItems
            ? ([], Problems.TooLarge($"A request can contain at most {RequestLimits.BulkItems} pipelines. Split it into several requests."))
            : ReadMany(body, validator, checks);
    }

    private static (IReadOnlyList<NewPipeline>, Problem?) ReadMany(JsonElement array, IValidator<PipelineSpec> validator,
        PipelineCheckValidator checks)
    {
        var errors = new Dictionary<string, string[]>();
        var pipelines = new List<NewPipeline>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (index, item) in array.EnumerateArray().Index())
        {
            if (ReadOne(item, $"/{index}", validator, checks, errors) is not { } pipeline)
            {
                continue;
            }

            pipelines.Add(pipeline);
            if (!names.Add(pipeline.Id))
            {
                errors[$"/{index}/name"] = ["must be unique in the array."];
            }
        }

        return errors.Count == 0 ? (pipelines, null) : ([], Problems.Invalid(errors));
    }

    private static NewPipeline? ReadOne(JsonElement item, string prefix, IValidator<PipelineSpec> validator,
        PipelineCheckValidator checks, Dictionary<string, string[]> errors)
    {
        var (spec, parsed) = JsonParser.Parse(item, validator);
        var found = parsed ?? [];
        checks.Validate(item, found);
        foreach (var (pointer, messages) in found)
        {
            errors[prefix + pointer] = messages;
        }

        // Numbers in unknown fields are checked too, because the whole body is returned to clients.
        if (JsonNumber.PointerToUnreadable(item) is { } unreadable)
        {
            errors[prefix + unreadable] = [JsonNumber.Unreadable];
            return null;
        }

        return found.Count == 0 ? PipelineBodies.ToPipeline(spec!, item) : null;
    }
}
