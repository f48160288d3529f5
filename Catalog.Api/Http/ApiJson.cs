using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Catalog.Api.Http;

/// <summary>
/// The JSON options of this API: snake_case names, strict reading, instants in UTC with six fractional digits.
/// </summary>
internal static class ApiJson
{
    public const int MaxDepth = 64;

    public static JsonSerializerOptions Options { get; } = Configure(new JsonSerializerOptions());

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        // Without this, a misspelt field would be ignored silently.
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.MaxDepth = MaxDepth;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new InstantConverter());
        options.Converters.Add(new RawJsonConverter());
        options.Converters.Add(new WholeNumberConverter());
        return options;
    }

    /// <summary>
    /// Writes an instant directly as bytes, because a large response has tens of thousands of instants. The round-trip
    /// format ("O") has seven fractional digits, of which the last is cut off.
    /// </summary>
    public static void Write(Utf8JsonWriter writer, DateTimeOffset instant)
    {
        Span<byte> text = stackalloc byte[28];
        instant.UtcDateTime.TryFormat(text, out _, "O", CultureInfo.InvariantCulture);
        text[26] = (byte)'Z';
        writer.WriteStringValue(text[..27]);
    }

    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && Instant.TryParse(reader.GetString()!, out var instant)
                ? instant
                : throw new JsonException("must be a time as in RFC 3339, such as 2026-01-31T08:00:00Z.");

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            ApiJson.Write(writer, value);
    }

    // JSON Schema, and therefore the OpenAPI document, counts 3.0 and 3e0 as integers. Clients that store counts as
    // doubles send such numbers.
    private sealed class WholeNumberConverter : JsonConverter<long>
    {
        public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType != JsonTokenType.Number ? throw new JsonException(JsonNumber.NotWhole)
            : reader.TryGetInt64(out var plain) ? plain
            : JsonNumber.ReadWhole(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan, out var whole) is { } error
            ? throw new JsonException(error)
            : whole;

        public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }

    private sealed class RawJsonConverter : JsonConverter<RawJson>
    {
        // Most values are numbers, literals and strings: copy their text from the reader without parsing a JsonElement.
        public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(reader.TokenType switch
            {
                JsonTokenType.True => "true",
                JsonTokenType.False => "false",
                JsonTokenType.Number when !reader.HasValueSequence => Encoding.UTF8.GetString(reader.ValueSpan),
                JsonTokenType.String when !reader.HasValueSequence => $"\"{Encoding.UTF8.GetString(reader.ValueSpan)}\"",
                _ => JsonElement.ParseValue(ref reader).GetRawText(),
            });

        // Validation is skipped: the value was validated when it was received, and in a response it may be nested
        // deeper than MaxDepth.
        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Text, skipInputValidation: true);
    }
}
