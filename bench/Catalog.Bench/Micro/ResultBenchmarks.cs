using System.Buffers;
using System.Globalization;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Catalog.Api.Checks;
using Catalog.Bench.Load;
using Catalog.Data;

namespace Catalog.Bench.Micro;

/// <summary>The processing of check results between the socket and the database.</summary>
public class ResultBenchmarks
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-01-31T08:00:00Z", CultureInfo.InvariantCulture);

    private readonly PostedResults.ReadOptions _options = new(_ => null, new PostCheckResultValidator(TimeProvider.System), Now);
    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private byte[] _body = [];
    private JsonDocument _parsed = null!;
    private CheckResultPage _page = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _body = ResultBody.Json(1);
        _parsed = JsonDocument.Parse(_body);
        var result = PostedResults.Read(_parsed.RootElement, _options).Accepted[0];
        _page = new(new([.. Enumerable.Repeat(result, 50)], null), new Cursor(Now, result.Id).ToText("check_results"));
    }

    /// <summary>From the bytes of a single post to the row to store: parse, read, validate, hash.</summary>
    [Benchmark]
    public int ParseAndValidate()
    {
        using var json = JsonDocument.Parse(_body);
        return PostedResults.Read(json.RootElement, _options).Count;
    }

    /// <summary>The hash alone, by which a repeated post is recognized.</summary>
    [Benchmark]
    public byte[] CanonicalHash() => CanonicalJson.Hash(_parsed.RootElement);

    /// <summary>Writes a page of 50 results as JSON.</summary>
    [Benchmark]
    public int SerializePage()
    {
        _buffer.ResetWrittenCount();
        using var writer = new Utf8JsonWriter(_buffer, CheckResultPage.Options);
        _page.Write(writer);
        return _buffer.WrittenCount;
    }
}
