using System.IO.Compression;
using System.Net;
using System.Text;
using Catalog.Tests.Support;

namespace Catalog.Tests.Http;

/// <summary>Bodies that are compressed.</summary>
[Trait("Category", "Fast")]
public sealed class ContentEncodingTests(SqliteTestDatabase database)
    : EndpointTestBase(database), IClassFixture<SqliteTestDatabase>
{
    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Bodies_may_be_compressed(string encoding)
    {
        var answer = await Compressed(encoding, encoding, Encoding.UTF8.GetBytes($$"""{"name":"{{Name}}"}"""));

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Fact]
    public async Task A_body_that_does_not_match_its_Content_Encoding_is_refused()
    {
        foreach (var encoding in new[] { "gzip", "br", "deflate" })
        {
            await (await Compressed("none", encoding, "{\"name\":\"not compressed\"}"u8.ToArray())).Problem(400, "malformed");
        }

        await (await Compressed("none", "compress", "{}"u8.ToArray())).Problem(415, "unsupported_content_encoding");
        await (await Compressed("gzip", "gzip, gzip", "{}"u8.ToArray())).Problem(415, "unsupported_content_encoding");
    }

    [Fact]
    [Trait("Fault", "F25")]
    public async Task A_decompression_bomb_is_refused_at_the_limit() =>
        await (await Compressed("gzip", "gzip", new byte[200 * 1024 * 1024])).Problem(413, "too_large");

    private async Task<HttpResponseMessage> Compressed(string actual, string declared, byte[] body)
    {
        using var buffer = new MemoryStream();
        await using (Stream stream = actual switch
        {
            "gzip" => new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true),
            "br" => new BrotliStream(buffer, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(buffer, CompressionLevel.Fastest, leaveOpen: true),
            _ => new BufferedStream(new MemoryStream()),
        })
        {
            await stream.WriteAsync(body, Ct);
        }

        using var content = new ByteArrayContent(actual == "none" ? body : buffer.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        content.Headers.TryAddWithoutValidation("Content-Encoding", declared);
        return await Client.PostAsync("/api/v1/pipelines/", content, Ct);
    }
}
