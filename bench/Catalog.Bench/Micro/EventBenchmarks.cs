using System.Globalization;
using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Catalog.Bench.Load;
using Catalog.Data;
using Catalog.Data.OpenLineage;

namespace Catalog.Bench.Micro;

/// <summary>The reading of an OpenLineage event of 17 KB, before anything is stored.</summary>
public class EventBenchmarks
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-01-31T08:00:00Z", CultureInfo.InvariantCulture);

    private byte[] _body = [];
    private JsonDocument _parsed = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _body = Encoding.UTF8.GetBytes(LineageEventBody.Text(1, "COMPLETE"));
        _parsed = JsonDocument.Parse(_body);
    }

    /// <summary>From the bytes to what is stored: parse, hash, read the facets.</summary>
    [Benchmark]
    public int ParseAndRead()
    {
        using var json = JsonDocument.Parse(_body);
        return OpenLineageEvent.Read(json.RootElement, Now).Event!.Body.Length;
    }

    /// <summary>The parser alone.</summary>
    [Benchmark]
    public int Parse()
    {
        using var json = JsonDocument.Parse(_body);
        return json.RootElement.GetPropertyCount();
    }

    /// <summary>The hash alone, by which a repeated event is recognized.</summary>
    [Benchmark]
    public byte[] CanonicalHash() => CanonicalJson.Hash(_parsed.RootElement);

    /// <summary>The hash and the facets, without the parser.</summary>
    [Benchmark]
    public int Read() => OpenLineageEvent.Read(_parsed.RootElement, Now).Event!.Body.Length;
}
