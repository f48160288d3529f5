using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Support;

/// <summary>A fault of the store.</summary>
public enum S3Fault
{
    None,
    InternalError,
    SlowDown,
    Forbidden,
    Reset,
    NoResponse,

    /// <summary>The connection is reset after half of the request's or the answer's body.</summary>
    ResetAtHalf,
    ClockSkew,

    /// <summary>
    /// Answers 200 and stores the body with its chunk framing. A body without chunks is framed first.
    /// </summary>
    KeepsFraming,

    /// <summary>Answers 200 and drops the last byte.</summary>
    Truncates,
}

/// <summary>
/// An S3 server in this process with one bucket. It checks every signature (version 4, with the body's hash, unsigned,
/// or in signed and unsigned chunks with trailers), keeps objects in memory, and fails chosen requests.
/// </summary>
public sealed class FakeS3 : IAsyncDisposable
{
    public const string Bucket = "backups";
    public const string AccessKey = "AKIAFAKEFAKEFAKEFAKE";
    public const string Secret = $"fake/{SecretSearch.Word}-S3-2219+secret";
    private static readonly XNamespace Xml = "http://s3.amazonaws.com/doc/2006-03-01/";
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, SortedDictionary<int, byte[]>> _uploads = new();
    private int _requests;

    private FakeS3(WebApplication app) => _app = app;

    /// <summary>The contents of the stored objects by key.</summary>
    public ConcurrentDictionary<string, byte[]> Objects { get; } = new(StringComparer.Ordinal);

    /// <summary>Method and key of each request, in order of arrival.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Chooses the fault of a request by its number (from 1), method and key.</summary>
    public Func<int, string, string, S3Fault> FaultFor { get; set; } = (_, _, _) => S3Fault.None;

    /// <summary>The Last-Modified time of every object.</summary>
    public DateTimeOffset Written { get; set; } = TimeProvider.System.GetUtcNow();

    /// <summary>The number of multipart uploads that are neither completed nor aborted.</summary>
    public int OpenUploads => _uploads.Count;

    public string Endpoint => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>The console settings for this store.</summary>
    public (string Name, string Value)[] Environment(params (string Name, string Value)[] more) =>
    [
        ("DATAXPIPE_S3_ENDPOINT", Endpoint), ("DATAXPIPE_S3_REGION", "test-1"), ("AWS_ACCESS_KEY_ID", AccessKey),
        ("AWS_SECRET_ACCESS_KEY", Secret), ("DATAXPIPE_S3_TIMEOUT", "3"), .. more,
    ];

    public static async Task<FakeS3> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        var store = new FakeS3(app);
        app.Run(store.Serve);
        await app.StartAsync();
        return store;
    }

    /// <summary>Clears the list of requests; the next request has number 1.</summary>
    public void Forget()
    {
        Requests.Clear();
        _requests = 0;
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        try
        {
            await _app.StopAsync(limit.Token);
        }
        finally
        {
            await _app.DisposeAsync();
        }
    }

    private async Task Serve(HttpContext context)
    {
        var number = Interlocked.Increment(ref _requests);
        var path = context.Request.Path.Value!.TrimStart('/').Split('/', 2);
        var key = path.Length > 1 ? path[1] : "";
        Requests.Enqueue($"{context.Request.Method} {key}{context.Request.QueryString.Value?.Split('&')[0]}");
        var fault = FaultFor(number, context.Request.Method, key);
        using var memory = new MemoryStream();
        if (fault == S3Fault.ResetAtHalf && context.Request.ContentLength > 1000)
        {
            await context.Request.Body.ReadExactlyAsync(new byte[(int)context.Request.ContentLength.Value / 2]);
            context.Abort();
            return;
        }

        await context.Request.Body.CopyToAsync(memory);
        var sent = memory.ToArray();
        switch (fault)
        {
            case S3Fault.InternalError: await Refuse(context, 500, "InternalError"); return;
            case S3Fault.SlowDown: await Refuse(context, 503, "SlowDown"); return;
            case S3Fault.Forbidden: await Refuse(context, 403, "AccessDenied"); return;
            case S3Fault.ClockSkew: await Refuse(context, 403, "RequestTimeTooSkewed"); return;
            case S3Fault.Reset: context.Abort(); return;
            case S3Fault.NoResponse:
                await Task.Delay(TimeSpan.FromSeconds(30), context.RequestAborted)
                .ContinueWith(_ => { }, TaskScheduler.Default); context.Abort(); return;
        }

        if (S3Signature.Check(context.Request, sent) is { } refusal)
        {
            await Refuse(context, refusal == "BadDigest" || refusal == "XAmzContentSHA256Mismatch" ? 400 : 403, refusal);
            return;
        }

        if (path[0] != Bucket)
        {
            await Refuse(context, 404, "NoSuchBucket");
            return;
        }

        var content = fault switch
        {
            S3Fault.KeepsFraming => S3Signature.IsChunked(context.Request)
                ? sent : [.. Encoding.ASCII.GetBytes($"{sent.Length:x}\r\n"), .. sent, .. "\r\n0\r\n\r\n"u8],
            _ => S3Signature.IsChunked(context.Request) ? S3Signature.RemoveFraming(sent, out _, out _) : sent,
        };
        await Answer(context, key, fault == S3Fault.Truncates && content.Length > 0 ? content[..^1] : content, fault);
    }

    private async Task Answer(HttpContext context, string key, byte[] content, S3Fault fault)
    {
        var query = context.Request.Query;
        var copied = context.Request.Headers["x-amz-copy-source"].FirstOrDefault() is { } source ? Uri.UnescapeDataString(source)
            .TrimStart('/').Split('/', 2)[1] : null;
        if (copied is not null)
        {
            if (!Objects.TryGetValue(copied, out var original))
            {
                await Refuse(context, 404, "NoSuchKey");
                return;
            }

            content = context.Request.Headers["x-amz-copy-source-range"].FirstOrDefault() is { } range
                && range[6..].Split('-').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray() is [var first, var last]
                ? original[first..(last + 1)]
                : fault == S3Fault.Truncates ? original[..^1] : original;
        }

        switch (context.Request.Method)
        {
            case "GET" when key.Length == 0:
                await List(context);
                break;
            case "PUT" when query.ContainsKey("uploadId"):
                _uploads[query["uploadId"]!][int.Parse(query["partNumber"]!, CultureInfo.InvariantCulture)] = content;
                await AnswerStored(context, content, copied is null ? null : "CopyPartResult");
                break;
            case "PUT":
                Objects[key] = content;
                await AnswerStored(context, content, copied is null ? null : "CopyObjectResult");
                break;
            case "POST" when query.ContainsKey("uploads"):
                var id = Guid.NewGuid().ToString("N");
                _uploads[id] = [];
                await WriteXml(
                    context, new XElement(Xml + "InitiateMultipartUploadResult", new XElement(Xml + "Bucket", Bucket),
                        new XElement(Xml + "Key", key), new XElement(Xml + "UploadId", id)));
                break;
            case "POST" when query.ContainsKey("uploadId") && _uploads.TryRemove(query["uploadId"]!, out var parts):
                Objects[key] = [.. parts.Values.SelectMany(part => part)];
                await WriteXml(
                    context, new XElement(Xml + "CompleteMultipartUploadResult", new XElement(Xml + "Key", key),
                        new XElement(Xml + "ETag", "\"parts\"")));
                break;
            case "DELETE" when query.ContainsKey("uploadId"):
                _uploads.TryRemove(query["uploadId"]!, out _);
                context.Response.StatusCode = 204;
                break;
            case "DELETE":
                Objects.TryRemove(key, out _);
                context.Response.StatusCode = 204;
                break;
            case "GET" or "HEAD" when Objects.TryGetValue(key, out var found):
                context.Response.ContentLength = found.Length;
                context.Response.Headers.ETag = Tag(found);
                context.Response.Headers.LastModified = Written.ToString("R", CultureInfo.InvariantCulture);
                if (context.Request.Method == "GET")
                {
                    if (fault == S3Fault.ResetAtHalf)
                    {
                        await context.Response.Body.WriteAsync(found.AsMemory(0, found.Length / 2));
                        await context.Response.Body.FlushAsync();
                        context.Abort();
                        return;
                    }

                    await context.Response.Body.WriteAsync(found);
                }

                break;
            default:
                await Refuse(context, 404, "NoSuchKey");
                break;
        }
    }

    private async Task List(HttpContext context)
    {
        var prefix = context.Request.Query["prefix"].FirstOrDefault() ?? "";
        var after = context.Request.Query["continuation-token"].FirstOrDefault() ?? "";
        // A page has only three keys, so clients must read more than one page.
        var keys = Objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)
            && !key[prefix.Length..].Contains('/', StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0)
            .Order(StringComparer.Ordinal).ToList();
        var page = keys.Take(3).ToList();
        await WriteXml(context, new XElement(Xml + "ListBucketResult",
            new XElement(Xml + "Name", Bucket), new XElement(Xml + "Prefix", prefix),
            new XElement(Xml + "IsTruncated", keys.Count > 3 ? "true" : "false"),
            keys.Count > 3 ? new XElement(Xml + "NextContinuationToken", page[^1]) : null,
            page.Select(key =>
                new XElement(Xml + "Contents", new XElement(Xml + "Key", key), new XElement(Xml + "Size", Objects[key].Length),
                new XElement(Xml + "LastModified", Written.UtcDateTime.ToString(
                    "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)), new XElement(Xml + "ETag", Tag(Objects[key]))))));
    }

    private static async Task AnswerStored(HttpContext context, byte[] content, string? copy)
    {
        context.Response.Headers.ETag = Tag(content);
        if (copy is not null)
        {
            await WriteXml(context, new XElement(Xml + copy, new XElement(Xml + "ETag", Tag(content))));
        }
    }

    private static Task WriteXml(HttpContext context, XElement document)
    {
        context.Response.ContentType = "application/xml";
        return context.Response.WriteAsync(document.ToString());
    }

    private static Task Refuse(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        return context.Request.Method == "HEAD"
            ? Task.CompletedTask : context.Response.WriteAsync($"<Error><Code>{code}</Code><Message>{code}</Message></Error>");
    }

    private static string Tag(byte[] content) => $"\"{Convert.ToHexStringLower(SHA256.HashData(content)[..16])}-1\"";
}
