using System.Text.RegularExpressions;
using Catalog.Data.Database;
using Microsoft.AspNetCore.Connections;

namespace Catalog.Api.Http;

/// <summary>Turns what goes wrong below it into problems, whether it was thrown or answered without a body.</summary>
internal sealed partial class ExceptionHandling(RequestDelegate next, RepeatedWarnings warnings, ILogger<ExceptionHandling> log)
{
    public async Task Invoke(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception exception) when (exception is ConnectionResetException or ConnectionAbortedException || context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: whatever broke, broke for that, and nobody reads an answer. 499 is what logs call it.
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = 499;
            }

            // Or the server would go on to read the rest of a body that nobody sends.
            context.Abort();
            return;
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            // What the handler had begun to say does not hold any more.
            context.Response.Clear();
            DefaultHeaders.Set(context);
            await Explain(exception, context).ExecuteAsync(context);
            return;
        }

        var response = context.Response;
        if (response.StatusCode >= 400 && !response.HasStarted && response.ContentType is null && response.ContentLength is null)
        {
            await Problems.Of(response.StatusCode).ExecuteAsync(context);
        }
    }

    private Problem Explain(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case DatabaseUnavailableException unavailable:
                warnings.Unserved(unavailable);
                return Problems.Unavailable(unavailable.Reason, HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method));
            case BadHttpRequestException { StatusCode: 413 }:
                return Problems.BodyTooLarge(Limits.ServerBody);
            // Bodies are read by JsonBody, so what the router could not bind is a parameter of the query.
            case BadHttpRequestException { StatusCode: 400 } bad when Parameter().Match(bad.Message) is { Success: true } match:
                var name = System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(match.Groups["name"].Value);
                return Problems.Invalid(name, "cannot be read as a value of this parameter.");
            case BadHttpRequestException bad:
                return bad.StatusCode == 400 ? Problems.Malformed("The request was cut off or is not well-formed HTTP.") : Problems.Of(bad.StatusCode);
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
