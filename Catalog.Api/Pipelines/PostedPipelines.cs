using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Pipelines;
using FluentValidation;

namespace Catalog.Api.Pipelines;

/// <summary>Reads one pipeline or an array of them. One that is not valid refuses the whole post: all are registered or none.</summary>
internal static class PostedPipelines
{
    public static (IReadOnlyList<NewPipeline> Pipelines, Problem? Refusal) Read(JsonElement body, IValidator<PipelineSpec> validator)
    {
        if (body.ValueKind != JsonValueKind.Array)
        {
            var errors = new Dictionary<string, string[]>();
            var pipeline = ReadOne(body, "", validator, errors);
            return errors.Count == 0 ? ([pipeline!], null) : ([], Problems.Invalid(errors));
        }

        return body.GetArrayLength() > Limits.BulkItems
            ? ([], Problems.TooLarge($"One post takes at most {Limits.BulkItems} pipelines. Send them in parts."))
            : ReadMany(body, validator);
    }

    private static (IReadOnlyList<NewPipeline>, Problem?) ReadMany(JsonElement array, IValidator<PipelineSpec> validator)
    {
        var errors = new Dictionary<string, string[]>();
        var pipelines = new List<NewPipeline>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (index, item) in array.EnumerateArray().Index())
        {
            if (ReadOne(item, $"/{index}", validator, errors) is not { } pipeline)
            {
                continue;
            }

            pipelines.Add(pipeline);
            if (!names.Add(pipeline.Id))
            {
                errors[$"/{index}/name"] = ["stands in this array twice."];
            }
        }

        return errors.Count == 0 ? (pipelines, null) : ([], Problems.Invalid(errors));
    }

    private static NewPipeline? ReadOne(JsonElement item, string prefix, IValidator<PipelineSpec> validator, Dictionary<string, string[]> errors)
    {
        var (spec, found) = JsonBody.Parse(item, validator);
        foreach (var (pointer, messages) in found ?? [])
        {
            errors[prefix + pointer] = messages;
        }

        // Also in fields that nobody here knows, because all of it is given back.
        if (JsonNumber.PointerToUnreadable(item) is { } place)
        {
            errors[prefix + place] = [JsonNumber.Unreadable];
            return null;
        }

        return found is null ? PipelineBodies.ToPipeline(spec!, item) : null;
    }
}
