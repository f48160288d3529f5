using System.Globalization;
using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data.Otlp;

namespace Catalog.Api.Otlp;

/// <summary>
/// Answers in the form that OTLP/HTTP defines. An answer has the encoding of its request, and an error is a
/// google.rpc.Status. Exporters repeat a request only after 429, 502, 503 and 504.
/// </summary>
/// <param name="isProtobuf">Whether the request is in protobuf.</param>
internal sealed class OtlpAnswer(bool isProtobuf)
{
    private const int InvalidArgument = 3;
    private const int Unavailable = 14;

    public IResult Accepted(int rejected)
    {
        var message = rejected == 0 ? ""
            : string.Create(CultureInfo.InvariantCulture,
                $"Rejected spans: {rejected}. A span needs a trace_id (16 bytes) and a span_id (8 bytes). Send at most {OtlpSpans.Max:N0} "
                    + $"spans in a request.");
        return isProtobuf ? TypedResults.Bytes(OtlpProtobufAnswer.Response(rejected, message), OtlpEndpoints.Protobuf)
            : TypedResults.Text(rejected == 0 ? "{}" : JsonSerializer.Serialize(
                // The JSON of protobuf writes 64-bit numbers as text.
                new { partialSuccess = new { rejectedSpans = $"{rejected}", errorMessage = message } }), OtlpEndpoints.Json);
    }

    public IResult Refused(HttpContext context, Problem problem)
    {
        if (problem.RetryAfterSeconds is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        var code = problem.Status >= 500 ? Unavailable : InvalidArgument;
        context.Response.StatusCode = problem.Status;
        return isProtobuf ? new OtlpBytes(OtlpProtobufAnswer.Status(code, problem.Detail))
            : TypedResults.Text(JsonSerializer.Serialize(new { code, message = problem.Detail }), OtlpEndpoints.Json,
                statusCode: problem.Status);
    }

    private sealed class OtlpBytes(byte[] bytes) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = OtlpEndpoints.Protobuf;
            await httpContext.Response.Body.WriteAsync(bytes, httpContext.RequestAborted);
        }
    }
}
