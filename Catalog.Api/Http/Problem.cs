using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.WebUtilities;

namespace Catalog.Api.Http;

/// <summary>
/// An error response: <c>application/problem+json</c> (RFC 9457). It is sent whatever the client accepts, because the
/// client must see the reason.
/// </summary>
public sealed class Problem(int status, string code, string detail) : IResult
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    public string Detail { get; } = detail;

    /// <summary>The reason phrase of the status, such as "Not Found".</summary>
    public string Heading => ReasonPhrases.GetReasonPhrase(Status);

    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    public int? RetryAfterSeconds { get; init; }

    public string? WwwAuthenticate { get; init; }

    public string? Plan { get; init; }

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        if (RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (WwwAuthenticate is { } scheme)
        {
            response.Headers.WWWAuthenticate = scheme;
        }

        if (httpContext.Features.Get<ProblemWriter>() is { } writer)
        {
            return writer.Write(httpContext, this);
        }

        response.ContentType = "application/problem+json";
        return HttpMethods.IsHead(httpContext.Request.Method)
            ? Task.CompletedTask : JsonSerializer.SerializeAsync(response.Body, new ProblemBody
            {
                Type = $"urn:catalog:problem:{Code}",
                Title = Heading,
                Status = Status,
                Detail = Detail,
                Code = Code,
                TraceId = Activity.Current?.TraceId.ToString() ?? httpContext.TraceIdentifier,
                Errors = Errors,
                Plan = Plan,
            }, ApiJson.Options, httpContext.RequestAborted);
    }
}

/// <summary>A feature of a request whose errors are not problem documents: pages show them as HTML.</summary>
/// <param name="Write">Writes the body of the response. The status and the headers are already set.</param>
internal sealed record ProblemWriter(Func<HttpContext, Problem, Task> Write);

/// <summary>An error response (RFC 9457): what is wrong and what to do about it.</summary>
public sealed record ProblemBody
{
    /// <summary>A URI that identifies the kind of problem: <c>urn:catalog:problem:</c> and the code.</summary>
    public required string Type { get; init; }

    /// <summary>The reason phrase of the HTTP status.</summary>
    public required string Title { get; init; }

    /// <summary>The HTTP status code.</summary>
    public required int Status { get; init; }

    /// <summary>What is wrong with this request, and what to do about it. For people; the text may change.</summary>
    public required string Detail { get; init; }

    /// <summary>A stable error code for programs, such as <c>not_found</c>.</summary>
    public required string Code { get; init; }

    /// <summary>The id of the request in the service's log.</summary>
    public required string TraceId { get; init; }

    /// <summary>
    /// Only for invalid requests: error messages by JSON pointer into the body (<c>/results/3/status</c>) or by query
    /// parameter.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>Only with the code <c>plan_limit_reached</c>: the smallest plan that would allow the request.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Plan { get; init; }
}
