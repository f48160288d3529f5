using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Catalog.Api.Http;

/// <summary>Numbers as JSON writes them, judged by their digits: read as a double they would have been rounded already.</summary>
internal static class JsonNumber
{
    /// <summary>How many digits a kept number may have. Python gives up at 4,300, others earlier.</summary>
    public const int MaxDigits = 1000;

    // So many always fit into an unsigned number of 64 bits.
    private const int MostDigits = 19;

    private static readonly SearchValues<char> OfNumbers = SearchValues.Create("0123456789+-.eE");

    public const string NotWhole = "must be a whole number, such as 3; 3.0 and 3e0 are the same number.";

    public const string OutOfRange = "must be a whole number from -9223372036854775808 to 9223372036854775807.";

    public const string Unreadable =
        "holds a number of more than 1,000 digits or with an exponent beyond a double's, which many clients cannot read; send it as text.";

    /// <summary>Reads a whole number in every spelling that JSON has for it: <c>3</c>, <c>3.0</c>, <c>3e0</c>, <c>30e-1</c>.</summary>
    /// <param name="text">The number; anything else is not a whole number.</param>
    /// <param name="value">The number, when it is one; otherwise the end of the range that is nearest to it, or 0.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? ReadWhole(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        // The events of runs are given back as sent, their counts too.
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

        // Zeros count only when a digit follows them: what is behind the last is a matter of scale.
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
            magnitude = digits > MostDigits ? magnitude : (Shifted(magnitude, zeros + 1) + (ulong)digit);
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

        if (digits + scale > MostDigits || (Shifted(magnitude, scale.Value) is var whole && whole > long.MaxValue + (negative ? 1UL : 0)))
        {
            value = negative ? long.MinValue : long.MaxValue;
            return OutOfRange;
        }

        value = negative ? unchecked(-(long)whole) : (long)whole;
        return null;
    }

    /// <summary>Whether some number in a JSON text is one that other clients could not read. One pass, and no parsing.</summary>
    public static bool HoldsUnreadable(ReadOnlySpan<char> json)
    {
        for (var i = 0; i < json.Length;)
        {
            if (json[i] == '"')
            {
                i = AfterString(json, i + 1);
            }
            else if (json[i] == '-' || char.IsAsciiDigit(json[i]))
            {
                var length = json[i..].IndexOfAnyExcept(OfNumbers);
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

    /// <summary>The JSON pointer to the first number that other clients could not read, or null.</summary>
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

        // Too small is as unreadable as too large: it is read as zero.
        return exponent < 0 || number[..exponent].IndexOfAnyInRange('1', '9') < 0
            || (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) && value != 0);
    }

    private static ReadOnlySpan<byte> TakeDigits(ref ReadOnlySpan<byte> text, int start = 0)
    {
        var length = text[start..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        var digits = length < 0 ? text[start..] : text.Slice(start, length);
        text = digits.IsEmpty ? text : text[(start + digits.Length)..];
        return digits;
    }

    // 0 where there is none, null where it has no digits. One of many digits is cut to what is beyond every number all the same.
    private static long? TakeExponent(ref ReadOnlySpan<byte> text)
    {
        if (text is not [(byte)'e' or (byte)'E', ..])
        {
            return 0;
        }

        var sign = text is [_, (byte)'-', ..] ? -1 : 1;
        var digits = TakeDigits(ref text, text is [_, (byte)'+' or (byte)'-', ..] ? 2 : 1);
        return digits.IsEmpty ? null
            : sign * (digits.TrimStart((byte)'0').Length > 15 ? 1_000_000_000_000_000L : long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture));
    }

    private static ulong Shifted(ulong value, long zeros)
    {
        for (; zeros > 0; zeros--)
        {
            value *= 10;
        }

        return value;
    }
}
