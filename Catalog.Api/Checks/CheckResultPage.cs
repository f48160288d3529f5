using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Checks;

namespace Catalog.Api.Checks;

/// <summary>
/// A page of results, written by hand from the rows into the response buffer, because clients read this list more often
/// than anything else. The bytes are the same as those of a serialized <see cref="ItemList{T}"/> of
/// <see cref="CheckResultItem"/>.
/// </summary>
internal sealed class CheckResultPage(Page<CheckResult> page, string? nextCursor, RowCount? count = null) : IResult
{
    internal static readonly JsonWriterOptions Options = new()
    {
        Encoder = ApiJson.Options.Encoder,
        MaxDepth = ApiJson.MaxDepth,
        SkipValidation = true
    };

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = "application/json; charset=utf-8";
        using (var writer = new Utf8JsonWriter(response.BodyWriter, Options))
        {
            Write(writer);
        }

        await response.BodyWriter.FlushAsync(httpContext.RequestAborted);
    }

    internal void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("items"u8);
        foreach (var result in page.Items)
        {
            CheckResultItem.Write(writer, result);
        }

        writer.WriteEndArray();
        CheckResultItem.Text(writer, "next_cursor"u8, nextCursor);
        if (count is { } counted)
        {
            writer.WriteNumber("count"u8, counted.Value);
            writer.WriteBoolean("count_is_minimum"u8, counted.IsMinimum);
        }

        writer.WriteEndObject();
        writer.Flush();
    }
}
