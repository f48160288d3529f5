using System.Buffers;
using System.Text.Json;
using Catalog.Api.Http;

namespace Catalog.Api.Runs;

/// <summary>The event of a run that a report on one stage is kept as.</summary>
internal static class StageEvent
{
    /// <summary><c>{"stages":[{"stage_name": name, …}]}</c> with the report's members as sent.</summary>
    public static ReadOnlyMemory<byte> Of(string name, ReadOnlyMemory<byte> report)
    {
        var buffer = new ArrayBufferWriter<byte>(report.Length + name.Length + 64);
        using var json = JsonDocument.Parse(report);
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = ApiJson.Options.Encoder }))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("stages");
            writer.WriteStartObject();
            writer.WriteString("stage_name", name);
            foreach (var member in json.RootElement.EnumerateObject())
            {
                member.WriteTo(writer);
            }

            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
