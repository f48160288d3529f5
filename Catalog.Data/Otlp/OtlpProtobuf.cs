using System.Globalization;
using Google.Protobuf;

namespace Catalog.Data.Otlp;

/// <summary>
/// Reads the protobuf encoding of an ExportTraceServiceRequest. The numbers in the code are field numbers of
/// opentelemetry-proto. Other fields are skipped.
/// </summary>
public static class OtlpProtobuf
{
    private const int MaxDepth = 16;

    /// <summary>Reads the spans; null when the bytes are not a valid request.</summary>
    public static OtlpSpans? Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var spans = new OtlpSpanList();
            Fields(UnsafeByteOperations.UnsafeWrap(bytes), (field, input) =>
            {
                if (field != 1)
                {
                    return false;
                }

                ReadResource(spans, input.ReadBytes());
                return true;
            });
            return spans.ToSpans();
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    // Calls read for each field, with a negative number if the field has a wrong wire type. When read returns false,
    // the field is skipped.
    private static void Fields(ByteString message, Func<int, CodedInputStream, bool> read)
    {
        using var input = message.CreateCodedInput();
        while (input.ReadTag() is not 0 and var tag)
        {
            if (!read(WireFormat.GetTagFieldNumber(tag) * (IsExpected(tag) ? 1 : -1), input))
            {
                input.SkipLastField();
            }
        }
    }

    // A field with a wrong wire type would be read as something else. The integer of a value and the code of a status
    // (both field 3) are varints. Times (fields 7 and 8) are fixed 64-bit. All other fields that are read are
    // length-delimited.
    private static bool IsExpected(uint tag) => WireFormat.GetTagWireType(tag) switch
    {
        WireFormat.WireType.LengthDelimited => true,
        WireFormat.WireType.Varint => WireFormat.GetTagFieldNumber(tag) == 3,
        WireFormat.WireType.Fixed64 => WireFormat.GetTagFieldNumber(tag) is 7 or 8,
        _ => false,
    };

    private static void ReadResource(OtlpSpanList spans, ByteString message)
    {
        var resource = new OtlpAttributes();
        List<ByteString> scopes = [];
        Fields(message, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    ReadAttributes(resource, input.ReadBytes(), 1, 0);
                    return true;
                // The resource may come after its spans, so the spans are read at the end.
                case 2:
                    scopes.Add(input.ReadBytes());
                    return true;
                default:
                    return false;
            }
        });
        scopes.ForEach(scope => ReadScope(spans, scope, resource.Project));
    }

    private static void ReadScope(OtlpSpanList spans, ByteString message, string project)
    {
        var name = "";
        List<ByteString> own = [];
        Fields(message, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    Fields(input.ReadBytes(), (part, scope) =>
                    {
                        if (part != 1)
                        {
                            return false;
                        }

                        name = scope.ReadString();
                        return true;
                    });
                    return true;
                case 2:
                    own.Add(input.ReadBytes());
                    return true;
                default:
                    return false;
            }
        });
        own.ForEach(span => ReadSpan(spans, span, project, name));
    }

    private static void ReadSpan(OtlpSpanList spans, ByteString message, string project, string scope)
    {
        var attributes = new OtlpAttributes();
        var (traceId, spanId, parentId) = (ByteString.Empty, ByteString.Empty, ByteString.Empty);
        var (name, status, isError) = ("", "", false);
        var (start, end) = (0UL, 0UL);
        Fields(message, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    traceId = input.ReadBytes();
                    return true;
                case 2:
                    spanId = input.ReadBytes();
                    return true;
                case 4:
                    parentId = input.ReadBytes();
                    return true;
                case 5:
                    name = input.ReadString();
                    return true;
                case 7:
                    start = input.ReadFixed64();
                    return true;
                case 8:
                    end = input.ReadFixed64();
                    return true;
                case 9:
                    ReadAttribute(attributes, input.ReadBytes(), 0);
                    return true;
                case 15:
                    (isError, status) = ReadStatus(input.ReadBytes());
                    return true;
                default:
                    return false;
            }
        });
        spans.Add(traceId.Span, spanId.Span, parentId.Span, new OtlpSpan
        {
            TraceId = "",
            SpanId = "",
            IsRoot = false,
            Name = name,
            Scope = scope,
            Project = project,
            Start = start,
            End = end,
            IsError = isError,
            StatusMessage = status,
            Attributes = attributes.Values,
        });
    }

    private static (bool IsError, string Message) ReadStatus(ByteString bytes)
    {
        var (isError, message) = (false, "");
        Fields(bytes, (field, input) =>
        {
            switch (field)
            {
                case 2:
                    message = input.ReadString();
                    return true;
                case 3:
                    isError = input.ReadEnum() == 2;
                    return true;
                default:
                    return false;
            }
        });
        return (isError, message);
    }

    private static void ReadAttributes(OtlpAttributes attributes, ByteString message, int number, int depth) =>
        Fields(message, (field, input) =>
        {
            if (field != number || depth >= MaxDepth)
            {
                return false;
            }

            ReadAttribute(attributes, input.ReadBytes(), depth);
            return true;
        });

    private static void ReadAttribute(OtlpAttributes attributes, ByteString message, int depth)
    {
        var (key, value) = ("", ByteString.Empty);
        Fields(message, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    key = input.ReadString();
                    return true;
                case 2:
                    value = input.ReadBytes();
                    return true;
                default:
                    return false;
            }
        });
        Fields(value, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    attributes.Add(key, input.ReadString());
                    return true;
                case 3:
                    attributes.Add(key, input.ReadInt64().ToString(CultureInfo.InvariantCulture));
                    return true;
                case 6:
                    ReadAttributes(attributes, input.ReadBytes(), 1, depth + 1);
                    return true;
                default:
                    return false;
            }
        });
    }
}
