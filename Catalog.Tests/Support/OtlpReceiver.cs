using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Support;

/// <summary>
/// Stands in for an OpenTelemetry collector that receives OTLP over HTTP in protobuf. It keeps the bodies and searches
/// them for secrets; texts in protobuf are plain UTF-8.
/// </summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Path, byte[] Body, string Headers)> _posts = new();
    private WebApplication? _app;

    /// <summary>The settings of a service that sends everything here at once.</summary>
    public (string Name, string Value)[] Settings =>
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", _app!.Urls.Single()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_HEADERS", $"x-token={SecretSearch.Word}-token"), ("OTEL_METRIC_EXPORT_INTERVAL", "300"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"), ("OTEL_BLRP_SCHEDULE_DELAY", "100"),
    ];

    public static async Task<OtlpReceiver> Start()
    {
        var receiver = new OtlpReceiver();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        receiver._app = builder.Build();
        receiver._app.MapPost("/v1/{signal}", (Delegate)receiver.Receive);
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>The number of posts to a path such as <c>/v1/traces</c>.</summary>
    public int Posts(string path) => _posts.Count(post => post.Path == path);

    /// <summary>Everything that was sent to a path, as characters of one byte.</summary>
    public string Text(string path) =>
        string.Concat(_posts.Where(post => post.Path == path).Select(post => Encoding.Latin1.GetString(post.Body)));

    /// <summary>Waits until a text or the bytes of an id were sent to a path.</summary>
    public async Task Wait(string path, string text)
    {
        for (var tries = 0; !Text(path).Contains(text, StringComparison.Ordinal); tries++)
        {
            Assert.True(tries < 200, $"{path} did not receive {text}: {Posts(path)} posts\n{Text(path)}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The bytes of an id in hexadecimal digits, as they are in protobuf.</summary>
    public static string Bytes(string id) => Encoding.Latin1.GetString(Convert.FromHexString(id));

    public async ValueTask DisposeAsync()
    {
        await _app!.DisposeAsync();
        Assert.All(_posts, post => Assert.Contains($"{SecretSearch.Word}-token", post.Headers));
    }

    private async Task<IResult> Receive(HttpContext context)
    {
        await using var body = context.Request.Headers.ContentEncoding == "gzip"
            ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body;
        using var bytes = new MemoryStream();
        await body.CopyToAsync(bytes, context.RequestAborted);
        var path = context.Request.Path.Value!;
        _posts.Enqueue((path, bytes.ToArray(), context.Request.Headers["x-token"].ToString()));
        SecretSearch.Suite.Search($"A post to {path}", Encoding.Latin1.GetString(bytes.ToArray()));
        return Results.Bytes([], "application/x-protobuf");
    }
}
