using System.Buffers;
using System.Text;
using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Runs;

namespace Catalog.Api.Runs;

/// <summary>
/// The run event that stores a report on one stage: <c>{"stages":[{"stage_name": name, …}]}</c> with the members of the
/// report as sent.
/// </summary>
internal static class StageEvent
{
    private const string List = "stages";
    private const string Name = "stage_name";

    /// <param name="runId">The run's id.</param>
    /// <param name="stage">The name of the stage.</param>
    /// <param name="report">The report.</param>
    /// <param name="json">
    /// The report as sent. It has no member <c>stage_name</c>, because the contract has none.
    /// </param>
    public static RunEvent Of(string runId, string stage, PutStage report, JsonElement json) => new()
    {
        RunId = runId,
        RunMustExist = true,
        Stages = [report.ToReport(stage, json)],
        Digest = CanonicalJson.HashInList(List, json, Name, stage),
        Body = Body(stage, json),
        BodyIsReport = true,
    };

    private static string Body(string stage, JsonElement json)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = ApiJson.Options.Encoder }))
        {
            writer.WriteStartObject();
            writer.WriteStartArray(List);
            writer.WriteStartObject();
            writer.WriteString(Name, stage);
            foreach (var member in json.EnumerateObject())
            {
                member.WriteTo(writer);
            }

            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
