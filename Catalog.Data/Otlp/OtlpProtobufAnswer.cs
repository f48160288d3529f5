using Google.Protobuf;

namespace Catalog.Data.Otlp;

/// <summary>Writes the answers of OTLP in protobuf.</summary>
public static class OtlpProtobufAnswer
{
    /// <summary>An ExportTraceServiceResponse.</summary>
    /// <param name="rejected">The number of rejected spans.</param>
    /// <param name="message">Why they are rejected; not used when no span is rejected.</param>
    public static byte[] Response(int rejected, string message) => rejected == 0 ? [] : Message(output =>
    {
        output.WriteTag(1, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(Message(partial =>
        {
            partial.WriteTag(1, WireFormat.WireType.Varint);
            partial.WriteInt64(rejected);
            partial.WriteTag(2, WireFormat.WireType.LengthDelimited);
            partial.WriteString(message);
        })));
    });

    /// <summary>A google.rpc.Status.</summary>
    public static byte[] Status(int code, string message) => Message(output =>
    {
        output.WriteTag(1, WireFormat.WireType.Varint);
        output.WriteInt32(code);
        output.WriteTag(2, WireFormat.WireType.LengthDelimited);
        output.WriteString(message);
    });

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
        {
            write(output);
        }

        return buffer.ToArray();
    }
}
