using System.Text;
using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Dbt;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Catalog.Api.Dbt;

/// <summary>Reads the artifacts of a request: parts of multipart/form-data, or members of one JSON object.</summary>
internal sealed class DbtParts : IDisposable
{
    private const int MaxParts = 20;

    private static readonly string[] Names = ["manifest", "run_results", "sources", "catalog"];

    private readonly List<JsonDocument> _documents = [];
    private readonly Dictionary<string, JsonElement> _artifacts = new(StringComparer.Ordinal);
    private string? _namespace;

    /// <summary>The artifacts that were read.</summary>
    public DbtArtifacts Artifacts => new()
    {
        Manifest = Find("manifest"),
        RunResults = Find("run_results"),
        Sources = Find("sources"),
        Catalog = Find("catalog"),
        Namespace = _namespace,
    };

    /// <summary>Reads the body.</summary>
    /// <returns>The problem to answer with; null when the body was read.</returns>
    public async Task<Problem?> Read(HttpContext context) =>
        MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            ? await ReadForm(context, HeaderUtilities.RemoveQuotes(type.Boundary).Value)
            : await ReadJson(context);

    public void Dispose() => _documents.ForEach(document => document.Dispose());

    private JsonElement? Find(string name) => _artifacts.TryGetValue(name, out var artifact) ? artifact : null;

    private async Task<Problem?> ReadJson(HttpContext context)
    {
        var (_, json, problem) = await RequestBody.ReadDocument(context);
        if (json is null)
        {
            return problem;
        }

        _documents.Add(json);
        if (json.RootElement.ValueKind != JsonValueKind.Object)
        {
            return Problems.Invalid("", "must be an object with manifest and run_results.");
        }

        foreach (var member in json.RootElement.EnumerateObject())
        {
            if (Names.Contains(member.Name))
            {
                _artifacts[member.Name] = member.Value;
            }
            else if (member.Name == "namespace" && member.Value.ValueKind != JsonValueKind.Null)
            {
                if (member.Value.ValueKind != JsonValueKind.String)
                {
                    return Problems.Invalid("/namespace", "must be text.");
                }

                SetNamespace(member.Value.GetString()!);
            }
        }

        return null;
    }

    private async Task<Problem?> ReadForm(HttpContext context, string? boundary)
    {
        if (boundary is null or { Length: 0 or > 200 })
        {
            return Problems.Malformed("The Content-Type multipart/form-data needs a boundary of at most 200 characters.");
        }

        var (bytes, problem) = await RequestBody.ReadBytes(context);
        if (problem is not null)
        {
            return problem;
        }

        try
        {
            var reader = new MultipartReader(boundary, new MemoryStream(bytes.ToArray()));
            for (var parts = 0; await reader.ReadNextSectionAsync(context.RequestAborted) is { } section; parts++)
            {
                if (parts == MaxParts)
                {
                    return Problems.Malformed($"The form has more than {MaxParts} parts.");
                }

                if (await ReadPart(section, context.RequestAborted) is { } refusal)
                {
                    return refusal;
                }
            }

            return null;
        }
        // The reader's own messages name its internal limits, so the response has another message.
        catch (Exception exception) when (exception is IOException or InvalidDataException)
        {
            return Problems.Malformed(
                "The body is not multipart/form-data as its Content-Type says: a part is cut off or its headers are too long.");
        }
    }

    private async Task<Problem?> ReadPart(MultipartSection section, CancellationToken ct)
    {
        var name = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
            ? HeaderUtilities.RemoveQuotes(disposition.Name).Value : null;
        if (name != "namespace" && !Names.Contains(name))
        {
            return null;
        }

        using var buffer = new MemoryStream();
        await section.Body.CopyToAsync(buffer, ct);
        ReadOnlyMemory<byte> bytes = buffer.ToArray();
        if (name == "namespace")
        {
            SetNamespace(Encoding.UTF8.GetString(bytes.Span).Trim());
            return null;
        }

        if (_artifacts.ContainsKey(name!))
        {
            return Problems.Invalid($"/{name}", "is given twice.");
        }

        if (bytes.Span.StartsWith(Encoding.UTF8.Preamble))
        {
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        }

        var (json, problem) = JsonParser.ParseDocument(bytes, $"part {name}");
        if (json is not null)
        {
            _documents.Add(json);
            _artifacts[name!] = json.RootElement;
        }

        return problem;
    }

    private void SetNamespace(string text) => _namespace = text.Length == 0 ? null : StoredText.Clean(text);
}
