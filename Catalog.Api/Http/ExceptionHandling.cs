using System.Text.RegularExpressions;
using Catalog.Data.Database;
using Microsoft.AspNetCore.Connections;

namespace Catalog.Api.Http;

/// <summary>Turns exceptions, and error responses without a body, into problem responses (RFC 9457).</summary>
internal sealed partial class ExceptionHandling(RequestDelegate next, RepeatedWarnings warnings, ILogger<ExceptionHandling> log)
{
    public async Task Invoke(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception exception) when (exception is ConnectionResetException or ConnectionAbortedException
            or OperationCanceledException { InnerException: ConnectionResetException or ConnectionAbortedException }
            || context.RequestAborted.IsCancellationRequested)
        {
            // The client disconnected, or did not finish its request before the service stopped. The access log shows
            // 499, and the error is ignored.
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = 499;
            }

            // Without this, Kestrel would wait for the rest of a body that the client will not send.
            context.Abort();
            return;
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            // Discard the headers that the handler has set.
            context.Response.Clear();
            DefaultHeaders.Set(context);
            await Explain(exception, context).ExecuteAsync(context);
            return;
        }

        var response = context.Response;
        if (response.StatusCode >= 400 && !response.HasStarted && response.ContentType is null && response.ContentLength is null)
        {
            var problem = response.StatusCode is 404 or 405 && await MisplacedEvent.IsIn(context)
                ? Problems.OpenLineagePath() : Problems.Of(response.StatusCode);
            await problem.ExecuteAsync(context);
        }
    }

    private Problem Explain(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case DatabaseUnavailableException unavailable:
                warnings.DatabaseUnavailable(unavailable);
                return Problems.Unavailable(unavailable.Reason, HttpMethods.IsGet(context.Request.Method)
                    || HttpMethods.IsHead(context.Request.Method));
            case BadHttpRequestException { StatusCode: 413 }:
                return Problems.BodyTooLarge(RequestLimits.ServerBody);
            // RequestBody reads all bodies, so a value that the router could not bind is a query parameter.
            case BadHttpRequestException { StatusCode: 400 } bad when Parameter().Match(bad.Message) is { Success: true } match:
                var name = System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(match.Groups["name"].Value);
                return Problems.Invalid(name, "is not a valid value of this parameter.");
            case BadHttpRequestException bad:
                return bad.StatusCode == 400
                    ? Problems.Malformed("The request was cut off or is not well-formed HTTP. Send the whole request again.")
                    : Problems.Of(bad.StatusCode);
            default:
                LogUnexpected(exception, context.Request.Method, context.GetEndpoint()?.DisplayName ?? "no endpoint");
                return Problems.Internal();
        }
    }

    [GeneratedRegex("""parameter "(?:.* )?(?<name>\w+)" """)]
    private static partial Regex Parameter();

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected failure in {Method} {Endpoint}")]
    private partial void LogUnexpected(Exception exception, string method, string endpoint);
}
