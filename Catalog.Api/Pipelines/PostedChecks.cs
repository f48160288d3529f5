using System.Text.Json;
using Catalog.Api.Checks;
using Catalog.Api.Http;
using FluentValidation;

namespace Catalog.Api.Pipelines;

/// <summary>
/// Validates the checks in the body of a pipeline that have a connection by the rules of <c>POST /checks/</c>: the Catalog
/// executes them. Other checks, and fields that these rules do not know, may have any shape.
/// </summary>
internal sealed class PostedChecks(IValidator<PutCheck> validator)
{
    private static readonly HashSet<string> Fields = typeof(PutCheck).GetProperties()
        .Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)).ToHashSet(StringComparer.Ordinal);

    /// <summary>Adds what is wrong with the checks of a pipeline.</summary>
    /// <param name="pipeline">The pipeline as sent.</param>
    /// <param name="errors">The errors by JSON pointer from the pipeline. One that is known already is kept.</param>
    public void Validate(JsonElement pipeline, Dictionary<string, string[]> errors)
    {
        if (pipeline.ValueKind != JsonValueKind.Object || !pipeline.TryGetProperty("checks", out var checks)
            || checks.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        foreach (var (index, check) in checks.EnumerateArray().Index())
        {
            if (check.ValueKind != JsonValueKind.Object || !check.TryGetProperty("connection_id", out var connection)
                || connection.ValueKind != JsonValueKind.String)
            {
                continue;
            }

            var known = check.EnumerateObject().Where(field => Fields.Contains(field.Name))
                .ToDictionary(field => field.Name, field => field.Value, StringComparer.Ordinal);
            var (_, found) = JsonParser.Parse(JsonSerializer.SerializeToElement(known), validator);
            foreach (var (pointer, messages) in found ?? [])
            {
                errors.TryAdd($"/checks/{index}{pointer}", messages);
            }
        }
    }
}
