using System.Text.Json;
using Catalog.Data.Runs;

namespace Catalog.Api.Runs;

/// <summary>
/// Finds the fields that a report sets to null. A contract type cannot tell null from a field that is left out.
/// </summary>
internal static class NullFields
{
    public static ClearableFields In(JsonElement report)
    {
        var fields = ClearableFields.None;
        foreach (var member in report.EnumerateObject())
        {
            fields |= member.Value.ValueKind is JsonValueKind.Null ? Named(member.Name) : ClearableFields.None;
        }

        return fields;
    }

    private static ClearableFields Named(string name) => name switch
    {
        "records_processed" => ClearableFields.RecordsProcessed,
        "error_message" => ClearableFields.ErrorMessage,
        "trigger" => ClearableFields.Trigger,
        "external_url" => ClearableFields.ExternalUrl,
        "metadata" => ClearableFields.Metadata,
        _ => ClearableFields.None,
    };
}
