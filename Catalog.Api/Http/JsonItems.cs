using System.Buffers;

namespace Catalog.Api.Http;

/// <summary>
/// Tells the items of an array apart in a body that is not JSON as a whole, by its brackets and quotes alone, so that an item that cannot
/// be read is refused without the others.
/// </summary>
internal static class JsonItems
{
    private static readonly SearchValues<byte> Marks = SearchValues.Create("\",[]{}"u8);

    /// <summary>The items of an array, or of the one member of an object that holds it.</summary>
    /// <param name="body">The body.</param>
    /// <param name="member">The member's name, in its quotes.</param>
    /// <returns>Each item without the white space around it; null where they cannot be told apart.</returns>
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

    // Up to the comma or bracket that ends it; false where its brackets or quotes do not close, or it may be more than one item: a comma
    // is missing, or a quote within, so that what should be text is read as marks and marks as text.
    private static bool TakeItem(ref ReadOnlySpan<byte> rest)
    {
        var open = new Stack<byte>();
        var whole = false;
        var text = false;
        while (rest.IndexOfAny(Marks) is >= 0 and var next)
        {
            var found = rest[next];
            var word = rest[..next].Trim(" \t\r\n"u8);
            if (text && open.Count > 0 && word.StartsWith(":"u8))
            {
                text = false;
                word = word[1..].TrimStart(" \t\r\n"u8);
            }

            if (!word.IsEmpty && (text || whole || found == '"' || (open.Count == 0 && (found is (byte)'[' or (byte)'{' || word.ContainsAny(" \t\r\n"u8)))))
            {
                return false;
            }

            if (open.Count == 0 && found is (byte)',' or (byte)']')
            {
                rest = rest[next..];
                return true;
            }

            if (whole)
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

            whole = open.Count == 0;
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
