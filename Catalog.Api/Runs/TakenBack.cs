using System.Text.Json;
using Catalog.Data.Runs;

namespace Catalog.Api.Runs;

/// <summary>The fields of which an event says null: contracts read that as they read a field that is left out.</summary>
internal static class TakenBack
{
    public static KeptFields In(JsonElement said)
    {
        var fields = KeptFields.None;
        foreach (var member in said.EnumerateObject())
        {
            fields |= member.Value.ValueKind is JsonValueKind.Null ? Named(member.Name) : KeptFields.None;
        }

        return fields;
    }

    private static KeptFields Named(string name) => name switch
    {
        "records_processed" => KeptFields.RecordsProcessed,
        "error_message" => KeptFields.ErrorMessage,
        "trigger" => KeptFields.Trigger,
        "external_url" => KeptFields.ExternalUrl,
        "metadata" => KeptFields.Metadata,
        _ => KeptFields.None,
    };
}
