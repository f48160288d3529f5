using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf;

namespace Catalog.Tests.Otlp;

/// <summary>A span that a test sends, in both encodings of OTLP.</summary>
/// <param name="TraceId">32 hexadecimal digits.</param>
/// <param name="SpanId">16 hexadecimal digits.</param>
/// <param name="Name">Its name.</param>
/// <param name="Start">Seconds after 2026-03-01T10:00:00Z.</param>
/// <param name="End">Seconds after 2026-03-01T10:00:00Z.</param>
/// <param name="Attributes">Texts and whole numbers.</param>
internal sealed record SpanExample(
    string TraceId, string SpanId, string Name, int Start, int End, params (string Key, object Value)[] Attributes)
{
    private const long Epoch = 1_772_359_200;

    public bool IsError { get; init; }

    public string Message { get; init; } = "";

    public static string Json(IEnumerable<SpanExample> spans, string service = "dbt-fusion", string scope = "dbt") => new JsonObject
    {
        ["resourceSpans"] = new JsonArray(new JsonObject
        {
            ["resource"] = new JsonObject { ["attributes"] = new JsonArray(JsonPair("service.name", service)) },
            ["scopeSpans"] = new JsonArray(new JsonObject
            {
                ["scope"] = new JsonObject { ["name"] = scope },
                ["spans"] = new JsonArray([.. spans.Select(span => span.Json())]),
            }),
        }),
    }.ToJsonString();

    public static byte[] Protobuf(IEnumerable<SpanExample> spans, string service = "dbt-fusion", string scope = "dbt") => Encode(request =>
        Write(request, 1, Encode(resource =>
        {
            Write(resource, 2, Encode(scopes =>
            {
                Write(scopes, 1, Encode(own => Write(own, 1, scope)));
                foreach (var span in spans)
                {
                    Write(scopes, 2, span.Protobuf());
                }
            }));
            // Fields may stand in any order.
            Write(resource, 1, Encode(attributes => Write(attributes, 1, Pair("service.name", service))));
        })));

    private JsonNode Json() => new JsonObject
    {
        ["traceId"] = TraceId,
        ["spanId"] = SpanId,
        ["name"] = Name,
        ["startTimeUnixNano"] = Nanoseconds(Start).ToString(CultureInfo.InvariantCulture),
        ["endTimeUnixNano"] = Nanoseconds(End).ToString(CultureInfo.InvariantCulture),
        ["attributes"] = new JsonArray([.. Attributes.Select(pair => JsonPair(pair.Key, pair.Value))]),
        ["status"] = new JsonObject { ["code"] = IsError ? 2 : 1, ["message"] = Message },
    };

    private byte[] Protobuf() => Encode(output =>
    {
        Write(output, 1, Convert.FromHexString(TraceId));
        Write(output, 2, Convert.FromHexString(SpanId));
        Write(output, 3, "state");
        Write(output, 5, Name);
        output.WriteTag(6, WireFormat.WireType.Varint);
        output.WriteEnum(1);
        output.WriteTag(7, WireFormat.WireType.Fixed64);
        output.WriteFixed64(Nanoseconds(Start));
        output.WriteTag(8, WireFormat.WireType.Fixed64);
        output.WriteFixed64(Nanoseconds(End));
        foreach (var (key, value) in Attributes)
        {
            Write(output, 9, Pair(key, value));
        }

        Write(output, 15, Encode(status =>
        {
            Write(status, 2, Message);
            status.WriteTag(3, WireFormat.WireType.Varint);
            status.WriteEnum(IsError ? 2 : 1);
        }));
    });

    private static ulong Nanoseconds(int seconds) => (ulong)(Epoch + seconds) * 1_000_000_000;

    private static JsonObject JsonPair(string key, object value) => new()
    {
        ["key"] = key,
        ["value"] = value switch
        {
            string text => new JsonObject { ["stringValue"] = text },
            int number => new JsonObject { ["intValue"] = number.ToString(CultureInfo.InvariantCulture) },
            _ => new JsonObject
            {
                ["kvlistValue"] = new JsonObject
                {
                    ["values"] = new JsonArray([.. (((string, object)[])value).Select(pair => JsonPair(pair.Item1, pair.Item2))]),
                },
            },
        },
    };

    private static byte[] Pair(string key, object value) => Encode(output =>
    {
        Write(output, 1, key);
        Write(output, 2, Encode(any =>
        {
            switch (value)
            {
                case string text:
                    Write(any, 1, text);
                    break;
                case int number:
                    any.WriteTag(3, WireFormat.WireType.Varint);
                    any.WriteInt64(number);
                    break;
                default:
                    Write(any, 6, Encode(list =>
                    {
                        foreach (var (name, item) in ((string, object)[])value)
                        {
                            Write(list, 1, Pair(name, item));
                        }
                    }));
                    break;
            }
        }));
    });

    private static byte[] Encode(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
        {
            write(output);
        }

        return buffer.ToArray();
    }

    private static void Write(CodedOutputStream output, int field, string text)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(text);
    }

    private static void Write(CodedOutputStream output, int field, byte[] bytes)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(bytes));
    }
}
