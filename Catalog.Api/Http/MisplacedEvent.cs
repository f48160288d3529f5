using System.Buffers;

namespace Catalog.Api.Http;

/// <summary>
/// Recognizes an OpenLineage event on a path that does not accept it. Clients lose the path of their URL in several ways:
/// the Python client drops a base path without a slash at its end, and the Java client posts to <c>/</c>.
/// </summary>
internal static class MisplacedEvent
{
    private const int Read = 64 * 1024;

    /// <summary>Whether the start of the request's body looks like an event.</summary>
    public static async ValueTask<bool> IsIn(HttpContext context)
    {
        var request = context.Request;
        if (!HttpMethods.IsPost(request.Method) || request.ContentType?.Contains("json", StringComparison.OrdinalIgnoreCase) != true)
        {
            return false;
        }

        try
        {
            var result = await request.BodyReader.ReadAtLeastAsync(Read);
            var start = result.Buffer.Slice(0, Math.Min(Read, result.Buffer.Length)).ToArray();
            request.BodyReader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            return start.AsSpan().IndexOf("\"eventTime\""u8) >= 0
                && (start.AsSpan().IndexOf("\"runId\""u8) >= 0 || start.AsSpan().IndexOf("\"producer\""u8) >= 0);
        }
        // The body is cut off, too large, or not in the declared encoding. The response is the usual one for a path
        // that does not exist.
        catch (Exception exception) when (exception is IOException or InvalidDataException or InvalidOperationException)
        {
            return false;
        }
    }
}
