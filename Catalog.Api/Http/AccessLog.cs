using System.Diagnostics;

namespace Catalog.Api.Http;

/// <summary>
/// Logs one line for each request when <c>DATAXPIPE_ACCESS_LOG</c> is true. The query is left out because it may
/// contain private values.
/// </summary>
internal sealed partial class AccessLog(RequestDelegate next, ILogger<AccessLog> log)
{
    public async Task Invoke(HttpContext context)
    {
        var start = Stopwatch.GetTimestamp();
        // The path is read here, because a later middleware rewrites unversioned paths. It is escaped, so that a path
        // cannot start a new log line.
        var path = (context.Request.PathBase + context.Request.Path).ToUriComponent();
        try
        {
            await next(context);
        }
        finally
        {
            var (milliseconds, address) = (Stopwatch.GetElapsedTime(start).TotalMilliseconds, context.Connection.RemoteIpAddress?.ToString()
                ?? "-");
            var (caller, requestId) = (context.User.Identity?.Name ?? "-", context.Response.Headers["X-Request-Id"].ToString());
            LogRequest(context.Request.Method, path, context.Response.StatusCode, milliseconds, address, caller, requestId);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Path} {Status} {Milliseconds:0.0} ms {Address} {Caller} {RequestId}")]
    private partial void LogRequest(string method, string path, int status, double milliseconds, string address, string caller,
        string requestId);
}
