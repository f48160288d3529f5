using System.Buffers;
using System.Text;
using System.Text.Json;
using Catalog.Api.Checks;
using Catalog.Api.Http;
using Catalog.Data.Checks;

namespace Catalog.Tests.Checks;

/// <summary>The JSON of the hand-written page equals the serialized contract types.</summary>
[Trait("Category", "Fast")]
public sealed class CheckResultPageJsonTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 31, 12, 0, 0, 123, 456, TimeSpan.Zero);

    [Fact]
    public void A_page_has_the_JSON_of_the_contract()
    {
        var bare = new CheckResult
        {
            Id = "1",
            PipelineId = "p",
            CheckId = "c",
            Status = "pass",
            Severity = "error",
            ExecutedAt = Noon,
            CreatedAt = Noon
        };
        var full = bare with
        {
            Id = "a/\"b\"\\ <&'+> é 🎉",
            RunId = "r\n\u2028",
            Dataset = "mart.orders",
            ObservedValue = "12345678901234567890.50",
            ObservedNumber = 1e300,
            Expected = """{"max": [1,  2]}""",
            FailedRows = 0,
            TotalRows = long.MaxValue,
            Message = "héllo",
            DurationSeconds = 0.1,
            Metadata = string.Concat(Enumerable.Repeat("[", 64)) + string.Concat(Enumerable.Repeat("]", 64)),
        };

        // A new field of the contract needs a value in `full`.
        Assert.All(typeof(CheckResultItem).GetProperties(), property => Assert.NotNull(property.GetValue(CheckResultItem.From(full))));
        Assert.Equal(Serialized([], null), Written([], null));
        Assert.Equal(Serialized([bare, full], "next"), Written([bare, full], "next"));
    }

    private static string Written(CheckResult[] results, string? next)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, CheckResultPage.Options))
        {
            new CheckResultPage(new(results, null), next).Write(writer);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string Serialized(CheckResult[] results, string? next) =>
        JsonSerializer.Serialize(new ItemList<CheckResultItem> { Items = [.. results.Select(CheckResultItem.From)], NextCursor = next },
            ApiJson.Options);
}
