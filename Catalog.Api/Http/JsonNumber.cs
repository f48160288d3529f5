using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Catalog.Api.Http;

/// <summary>Checks JSON numbers by their digits, because conversion to a double would round them first.</summary>
internal static class JsonNumber
{
    /// <summary>
    /// The maximum number of digits of a stored number. Python rejects numbers with more than 4,300 digits. Some other
    /// clients have a lower limit.
    /// </summary>
    public const int MaxDigits = 1000;

    // Every number of 19 digits fits into an unsigned 64-bit integer.
    private const int MaxSignificantDigits = 19;

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789+-.eE");

    public const string NotWhole = "must be a whole number, such as 3; 3.0 and 3e0 are the same number.";

    public const string OutOfRange = "must be a whole number from -9223372036854775808 to 9223372036854775807.";

    public const string Unreadable =
        "contains a number with more than 1,000 digits, or outside the range of a double, which many clients cannot read; send it as text.";

    /// <summary>
    /// Reads a whole number of at most 1,000 characters in every notation that JSON allows: <c>3</c>, <c>3.0</c>,
    /// <c>3e0</c>, <c>30e-1</c>.
    /// </summary>
    /// <param name="text">The JSON number. Any other text is not a whole number.</param>
    /// <param name="value">
    /// The number. When it is out of range, the nearest end of the range; when the text is too long or not a whole number,
    /// 0.
    /// </param>
    /// <returns>Null when the text is valid; otherwise the error message.</returns>
    public static string? ReadWhole(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        // The events of a run are returned exactly as sent, so their counts must be readable too.
        if (text.Length > MaxDigits)
        {
            return Unreadable;
        }

        var negative = text is [(byte)'-', ..];
        var rest = negative ? text[1..] : text;
        var integer = TakeDigits(ref rest);
        var fraction = rest is [(byte)'.', ..] ? TakeDigits(ref rest, 1) : [];
        var scale = TakeExponent(ref rest);
        if (integer.IsEmpty || scale is null || !rest.IsEmpty)
        {
            return NotWhole;
        }

        // A zero after other digits is significant only when a digit from 1 to 9 follows it. Trailing zeros only change
        // the scale.
        var (magnitude, digits, zeros) = (0UL, 0L, 0L);
        for (var i = 0; i < integer.Length + fraction.Length; i++)
        {
            var digit = (i < integer.Length ? integer[i] : fraction[i - integer.Length]) - '0';
            if (digit == 0)
            {
                zeros += digits > 0 ? 1 : 0;
                continue;
            }

            digits += zeros + 1;
            magnitude = digits > MaxSignificantDigits ? magnitude : (MultiplyByPowerOf10(magnitude, zeros + 1) + (ulong)digit);
            zeros = 0;
        }

        if (digits == 0)
        {
            return null;
        }

        scale += zeros - fraction.Length;
        if (scale < 0)
        {
            return NotWhole;
        }

        if (digits + scale > MaxSignificantDigits
            || (MultiplyByPowerOf10(magnitude, scale.Value) is var whole && whole > long.MaxValue + (negative ? 1UL : 0)))
        {
            value = negative ? long.MinValue : long.MaxValue;
            return OutOfRange;
        }

        value = negative ? unchecked(-(long)whole) : (long)whole;
        return null;
    }

    /// <summary>
    /// Whether a JSON text contains a number that other clients could not read. The method reads the text once and does
    /// not parse it.
    /// </summary>
    public static bool ContainsUnreadable(ReadOnlySpan<char> json)
    {
        for (var i = 0; i < json.Length;)
        {
            if (json[i] == '"')
            {
                i = AfterString(json, i + 1);
            }
            else if (json[i] == '-' || char.IsAsciiDigit(json[i]))
            {
                var length = json[i..].IndexOfAnyExcept(NumberCharacters);
                var end = length < 0 ? json.Length : i + length;
                if (!IsReadable(json[i..end]))
                {
                    return true;
                }

                i = end;
            }
            else
            {
                i++;
            }
        }

        return false;
    }

    /// <summary>
    /// The JSON pointer to the first number that other clients could not read; null when there is none.
    /// </summary>
    public static string? PointerToUnreadable(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Number:
                return IsReadable(element.GetRawText()) ? null : "";
            case JsonValueKind.Array:
                foreach (var (index, item) in element.EnumerateArray().Index())
                {
                    if (PointerToUnreadable(item) is { } inItem)
                    {
                        return string.Create(CultureInfo.InvariantCulture, $"/{index}{inItem}");
                    }
                }

                return null;
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    if (PointerToUnreadable(member.Value) is { } inMember)
                    {
                        return JsonPointer.OfName(member.Name) + inMember;
                    }
                }

                return null;
            default:
                return null;
        }
    }

    private static int AfterString(ReadOnlySpan<char> json, int i)
    {
        while (true)
        {
            i += json[i..].IndexOfAny('"', '\\') + 1;
            if (json[i - 1] == '"')
            {
                return i;
            }

            i++;
        }
    }

    private static bool IsReadable(ReadOnlySpan<char> number)
    {
        var exponent = number.IndexOfAny('e', 'E');
        if (exponent < 0 && number.Length <= MaxDigits)
        {
            return true;
        }

        var digits = number.Length;
        foreach (var character in number)
        {
            digits -= char.IsAsciiDigit(character) ? 0 : 1;
        }

        if (digits > MaxDigits)
        {
            return false;
        }

        // A number that is too small is also unreadable: a double would be zero.
        return exponent < 0 || number[..exponent].IndexOfAnyInRange('1', '9') < 0
            || (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
                && value != 0);
    }

    private static ReadOnlySpan<byte> TakeDigits(ref ReadOnlySpan<byte> text, int start = 0)
    {
        var length = text[start..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        var digits = length < 0 ? text[start..] : text.Slice(start, length);
        text = digits.IsEmpty ? text : text[(start + digits.Length)..];
        return digits;
    }

    // Returns 0 when there is no exponent, and null when it has no digits. A very long exponent becomes a value that is
    // out of range anyway.
    private static long? TakeExponent(ref ReadOnlySpan<byte> text)
    {
        if (text is not [(byte)'e' or (byte)'E', ..])
        {
            return 0;
        }

        var sign = text is [_, (byte)'-', ..] ? -1 : 1;
        var digits = TakeDigits(ref text, text is [_, (byte)'+' or (byte)'-', ..] ? 2 : 1);
        return digits.IsEmpty ? null
            : sign * (digits.TrimStart((byte)'0').Length > 15
                ? 1_000_000_000_000_000L : long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture));
    }

    private static ulong MultiplyByPowerOf10(ulong value, long zeros)
    {
        for (; zeros > 0; zeros--)
        {
            value *= 10;
        }

        return value;
    }
}
