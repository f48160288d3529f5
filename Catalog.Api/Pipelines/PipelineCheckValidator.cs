using System.Text.Json;
using Catalog.Api.Checks;
using Catalog.Api.Http;
using FluentValidation;

namespace Catalog.Api.Pipelines;

/// <summary>
/// Validates the checks in the body of a pipeline. If a check has a connection, it must obey the rules of <c>POST
/// /checks/</c>, because the Catalog executes it. Other checks may have any shape, and so may fields that these rules
/// do not know.
/// </summary>
internal sealed class PipelineCheckValidator(IValidator<PutCheck> validator)
{
    private static readonly HashSet<string> Fields = typeof(PutCheck).GetProperties()
        .Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)).ToHashSet(StringComparer.Ordinal);

    /// <summary>Adds the errors in the checks of a pipeline.</summary>
    /// <param name="pipeline">The pipeline as sent.</param>
    /// <param name="errors">
    /// The errors by JSON pointer from the pipeline. An error that is already in it is kept.
    /// </param>
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
