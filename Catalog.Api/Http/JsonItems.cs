using System.Buffers;

namespace Catalog.Api.Http;

/// <summary>
/// Splits a body that is not valid JSON as a whole into the items of its array, using only brackets and quotes. An item
/// with a syntax error can then be rejected alone, and the other items are stored.
/// </summary>
internal static class JsonItems
{
    private static readonly SearchValues<byte> Delimiters = SearchValues.Create("\",[]{}"u8);

    /// <summary>Splits an array, or an object whose single member is the array.</summary>
    /// <param name="body">The request body.</param>
    /// <param name="member">The name of the member, including its quotes.</param>
    /// <returns>Each item without surrounding white space; null when the items cannot be separated.</returns>
    public static List<ReadOnlyMemory<byte>>? Split(ReadOnlyMemory<byte> body, ReadOnlySpan<byte> member)
    {
        var rest = body.Span;
        var wrapped = Take(ref rest, "{"u8);
        if ((wrapped && !(Take(ref rest, member) && Take(ref rest, ":"u8))) || !Take(ref rest, "["u8))
        {
            return null;
        }

        List<ReadOnlyMemory<byte>> items = [];
        do
        {
            var start = body.Length - rest.Length;
            if (!TakeItem(ref rest))
            {
                return null;
            }

            items.Add(body[start..^rest.Length].Trim(" \t\r\n"u8));
        }
        while (Take(ref rest, ","u8));

        var ends = Take(ref rest, "]"u8) && (!wrapped || Take(ref rest, "}"u8)) && rest.Trim(" \t\r\n"u8).IsEmpty;
        return ends && items.TrueForAll(item => !item.IsEmpty) ? items : null;
    }

    // Reads up to the comma or bracket that ends the item. Returns false when a bracket or quote is not closed. Also
    // returns false when a comma or quote seems to be missing: the limits between items would then be wrong.
    private static bool TakeItem(ref ReadOnlySpan<byte> rest)
    {
        var open = new Stack<byte>();
        var complete = false;
        var text = false;
        while (rest.IndexOfAny(Delimiters) is >= 0 and var next)
        {
            var found = rest[next];
            var word = rest[..next].Trim(" \t\r\n"u8);
            if (text && open.Count > 0 && word.StartsWith(":"u8))
            {
                text = false;
                word = word[1..].TrimStart(" \t\r\n"u8);
            }

            if (!word.IsEmpty
                && (text || complete || found == '"'
                    || (open.Count == 0 && (found is (byte)'[' or (byte)'{' || word.ContainsAny(" \t\r\n"u8)))))
            {
                return false;
            }

            if (open.Count == 0 && found is (byte)',' or (byte)']')
            {
                rest = rest[next..];
                return true;
            }

            if (complete)
            {
                return false;
            }

            text = found == '"';
            rest = rest[(next + 1)..];
            var closes = found switch
            {
                (byte)'"' => TakeString(ref rest),
                (byte)'[' or (byte)'{' => Push(open, found),
                (byte)']' => open.TryPop(out var bracket) && bracket == '[',
                (byte)'}' => open.TryPop(out var brace) && brace == '{',
                _ => true,
            };
            if (!closes)
            {
                return false;
            }

            complete = open.Count == 0;
        }

        return false;
    }

    private static bool Push(Stack<byte> open, byte bracket)
    {
        open.Push(bracket);
        return true;
    }

    private static bool TakeString(ref ReadOnlySpan<byte> rest)
    {
        while (rest.IndexOfAny((byte)'"', (byte)'\\') is >= 0 and var next)
        {
            var ends = rest[next] == '"';
            rest = rest[Math.Min(next + (ends ? 1 : 2), rest.Length)..];
            if (ends)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Take(ref ReadOnlySpan<byte> rest, ReadOnlySpan<byte> wanted)
    {
        var trimmed = rest.TrimStart(" \t\r\n"u8);
        var found = trimmed.StartsWith(wanted);
        rest = found ? trimmed[wanted.Length..] : rest;
        return found;
    }
}
