using System.Text.Json;
using System.Text.Json.Nodes;

namespace Catalog.Data.OpenLineage;

/// <summary>
/// The body that the log keeps. It is the received body, but the values of environment variables are replaced, because
/// they may be secrets.
/// </summary>
internal static class RedactedBody
{
    private const string Replacement = "[removed]";

    public static string Of(JsonElement json)
    {
        if (json.Object("run")?.Object("facets")?.Object("environmentVariables") is null)
        {
            return json.GetRawText();
        }

        var copy = JsonNode.Parse(json.GetRawText(), documentOptions: new() { MaxDepth = 70 })!;
        foreach (var variable in (copy["run"]!["facets"]!["environmentVariables"]!["environmentVariables"] as JsonArray ?? [])
            .OfType<JsonObject>())
        {
            variable["value"] = Replacement;
        }

        return copy.ToJsonString();
    }
}
