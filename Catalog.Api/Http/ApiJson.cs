using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Catalog.Data;

namespace Catalog.Api.Http;

/// <summary>How JSON is read and written here: snake_case, strict, instants in UTC with six digits.</summary>
internal static class ApiJson
{
    public const int MaxDepth = 64;

    public static JsonSerializerOptions Options { get; } = Configure(new JsonSerializerOptions());

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        // A misspelt field would be lost without a word.
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.MaxDepth = MaxDepth;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new InstantConverter());
        options.Converters.Add(new RawJsonConverter());
        options.Converters.Add(new WholeNumberConverter());
        return options;
    }

    /// <summary>Writes an instant straight into bytes, because a large answer holds tens of thousands: the round-trip form has seven digits, of which the last is cut off.</summary>
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

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => ApiJson.Write(writer, value);
    }

    // To JSON Schema, and so to our document, 3.0 and 3e0 are integers; clients that keep counts as doubles write them so.
    private sealed class WholeNumberConverter : JsonConverter<long>
    {
        public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType != JsonTokenType.Number ? throw new JsonException(JsonNumber.NotWhole)
            : reader.TryGetInt64(out var plain) ? plain
            : JsonNumber.ReadWhole(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan, out var whole) is { } wrong ? throw new JsonException(wrong)
            : whole;

        public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }

    private sealed class RawJsonConverter : JsonConverter<RawJson>
    {
        // Most are numbers, words and strings, whose text lies in the reader already.
        public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.TokenType switch
        {
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            JsonTokenType.Number when !reader.HasValueSequence => Encoding.UTF8.GetString(reader.ValueSpan),
            JsonTokenType.String when !reader.HasValueSequence => $"\"{Encoding.UTF8.GetString(reader.ValueSpan)}\"",
            _ => JsonElement.ParseValue(ref reader).GetRawText(),
        });

        // Not validated and not counted by the writer's depth: it was both when it came in, and lies deeper in an answer than it did there.
        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Text, skipInputValidation: true);
    }
}

/// <summary>Any JSON value, kept and given back exactly as it was sent.</summary>
/// <param name="Text">The value's text.</param>
public readonly record struct RawJson(string Text)
{
    /// <summary>What the store holds: the text, or null where nothing was sent or where null was.</summary>
    public static string? Stored(RawJson? value) => value is { Text: not "null" } raw ? raw.Text : null;

    /// <summary>What the store held.</summary>
    public static RawJson? From(string? text) => text is null ? null : new(text);
}

/// <summary>An instant in a query parameter or a body.</summary>
public readonly partial record struct Instant(DateTimeOffset Value)
{
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd",
    ];

    /// <summary>Reads RFC 3339; without an offset it is UTC, a date alone is its midnight. Digits beyond microseconds are cut off.</summary>
    public static bool TryParse(string text, out DateTimeOffset instant)
    {
        instant = default;
        if (text.Length is < 10 or > 64)
        {
            return false;
        }

        text = text.ToUpperInvariant();
        if (text[10..].StartsWith(' '))
        {
            text = text[..10] + 'T' + text[11..];
        }

        // Nanoseconds, as Go and Java write them: seven digits are all that the framework reads.
        if (text.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot)
        {
            var end = dot + 1;
            while (end < text.Length && char.IsAsciiDigit(text[end]))
            {
                end++;
            }

            text = end - dot > 8 ? text[..(dot + 8)] + text[end..] : text;
        }

        if (!DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed))
        {
            return false;
        }

        instant = Clock.Truncate(parsed);
        return true;
    }

    /// <summary>The form that a query parameter has; a plus sign that arrives as a space is read as the plus it was.</summary>
    public static bool TryParse(string? text, IFormatProvider? provider, out Instant instant)
    {
        var read = TryParse(text?.Length > 19 ? text[..19] + text[19..].Replace(' ', '+') : text ?? "", out DateTimeOffset value);
        instant = new(value);
        return read;
    }

    /// <summary>Reads how long ago: a positive whole number and s, m, h, d or w, such as <c>24h</c>. Nothing else is taken for it: elsewhere a capital M means months, and a sign the other direction.</summary>
    /// <param name="text">The text.</param>
    /// <param name="now">What it is counted from.</param>
    /// <param name="instant">The instant as a query parameter has it.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? ReadAgo(string text, DateTimeOffset now, out string? instant)
    {
        instant = null;
        if (Ago().Match(text) is not { Success: true } match)
        {
            return "must be a time as in RFC 3339, such as 2026-01-31T08:00:00Z, or how long ago: a positive whole number and s, m, h, d or w, such as 30m, 24h or 7d.";
        }

        var unit = match.Groups["unit"].ValueSpan[0] switch { 's' => 1L, 'm' => 60, 'h' => 3600, 'd' => 86_400, _ => 604_800 };
        var seconds = unit * long.Parse(match.Groups["number"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
        if (seconds > (now - DateTimeOffset.MinValue).TotalSeconds)
        {
            return "is longer ago than the calendar goes back.";
        }

        instant = Format(now.AddSeconds(-seconds));
        return null;
    }

    /// <summary>UTC, always with six digits.</summary>
    public static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^0*(?<number>[1-9][0-9]{0,8})(?<unit>[smhdw])\z")]
    private static partial Regex Ago();
}
