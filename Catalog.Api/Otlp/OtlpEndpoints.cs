using Catalog.Api.Http;
using Catalog.Api.Organizations;
using Catalog.Data;
using Catalog.Data.Events;
using Catalog.Data.Otlp;
using Microsoft.Net.Http.Headers;

namespace Catalog.Api.Otlp;

/// <summary>Receives traces over OTLP/HTTP at the path that exporters use. Spans of dbt Fusion become runs.</summary>
internal static class OtlpEndpoints
{
    public const string Protobuf = "application/x-protobuf";
    public const string Json = "application/json";

    /// <summary>
    /// The header with the name of the dbt project. The spans do not contain the name, but an exporter can set headers.
    /// </summary>
    public const string ProjectHeader = "X-DBT-PROJECT";

    private const int MaxProject = 200;

    public static void MapOtlp(this IEndpointRouteBuilder routes) => routes.MapPost("/v1/traces", Post)
        .WithTags("dbt").WithName("PostTraces").Requires(Scopes.Write)
        .Accepts<OtlpTracesBody>(Json, Protobuf)
        .WithMetadata(new BodyLimit(RequestLimits.BulkBody), new AcceptsAnyQuery(), new CountsWithoutLimit())
        .Produces<OtlpTracesResult>().Refuses(400, 413, 415)
        .WithSummary("Receive spans over OTLP/HTTP, in JSON or protobuf: those of dbt Fusion become a run with stages and check results");

    private static async Task<IResult> Post(HttpContext context, Caller caller, EventIngest ingest, TimeProvider time)
    {
        var isProtobuf = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            && type.MediaType.Equals(Protobuf, StringComparison.OrdinalIgnoreCase);
        var answer = new OtlpAnswer(isProtobuf);
        var project = context.Request.Headers[ProjectHeader].ToString();
        if (project.Length > MaxProject)
        {
            return answer.Refused(context, Problems.Malformed($"{ProjectHeader} has more than {MaxProject} characters."));
        }

        var (spans, problem) = isProtobuf ? await ReadProtobuf(context) : await ReadJson(context);
        if (spans is null)
        {
            return answer.Refused(context, problem!);
        }

        var events = OtlpEvents.Of(spans.Spans, project.Length == 0 ? null : project, time.Now());
        if (events.Count > 0)
        {
            if (ingest.Enqueue(caller.Organization, events) is not { } stored)
            {
                return answer.Refused(context, Problems.IngestQueueFull());
            }

            await stored;
        }

        return answer.Accepted(spans.Rejected);
    }

    private static async Task<(OtlpSpans?, Problem?)> ReadProtobuf(HttpContext context)
    {
        var (bytes, problem) = await RequestBody.ReadBytes(context);
        return problem is not null ? (null, problem)
            : OtlpProtobuf.Read(bytes) is { } spans ? (spans, null)
            : (null, Problems.Malformed("The body is not an ExportTraceServiceRequest of OTLP in protobuf."));
    }

    private static async Task<(OtlpSpans?, Problem?)> ReadJson(HttpContext context)
    {
        var (_, json, problem) = await RequestBody.ReadDocument(context);
        using var _ = json;
        return json is null ? (null, problem)
            : OtlpJson.Read(json.RootElement) is { } spans ? (spans, null)
            : (null, Problems.Malformed("The body is not an ExportTraceServiceRequest of OTLP in JSON: an object with resourceSpans."));
    }
}
