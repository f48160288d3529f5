using System.Buffers;
using System.Text;
using FluentValidation;
using FluentValidation.Validators;
using Microsoft.OpenApi;

namespace Catalog.Api.Http;

/// <summary>
/// A validation rule that also writes itself into a JSON schema, so that the OpenAPI document always matches the
/// validation.
/// </summary>
internal interface IDocumentedRule
{
    void Document(OpenApiSchema schema);
}

/// <summary>Text of at most <paramref name="max"/> Unicode characters.</summary>
internal sealed class LengthRule<T>(int max) : PropertyValidator<T, string?>, IDocumentedRule
{
    public override string Name => "LengthRule";

    public override bool IsValid(ValidationContext<T> context, string? value) =>
        value is null || !IsLonger(value, max);

    public void Document(OpenApiSchema schema) => schema.MaxLength = max;

    internal static bool IsLonger(string value, int max) => value.Length > max && value.Length - value.Count(char.IsHighSurrogate) > max;

    protected override string GetDefaultMessageTemplate(string errorCode) => $"must be at most {max} characters long.";
}

/// <summary>
/// An id or name chosen by a client that can be used in a URL path without ambiguity. One rule checks all requirements,
/// because this is faster and every request body has several such fields.
/// </summary>
internal sealed class KeyRule<T> : PropertyValidator<T, string?>, IDocumentedRule
{
    // Three keys and the organization must fit into one index row of Postgres (2,704 bytes).
    private const int MaxBytes = 768;

    private static readonly SearchValues<char> PlainCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-:+/");

    public override string Name => "KeyRule";

    public override bool IsValid(ValidationContext<T> context, string? value)
    {
        if (value is null || (value.Length is > 0 and <= Validation.MaxKey && !value.AsSpan().ContainsAnyExcept(PlainCharacters)))
        {
            return true;
        }

        foreach (var error in FindErrors(value))
        {
            context.AddFailure(error);
        }

        // The loop above has added every failure to the context.
        return true;
    }

    public void Document(OpenApiSchema schema) => (schema.MinLength, schema.MaxLength) = (1, Validation.MaxKey);

    private static IEnumerable<string> FindErrors(string value)
    {
        if (LengthRule<T>.IsLonger(value, Validation.MaxKey))
        {
            yield return $"must be at most {Validation.MaxKey} characters long.";
        }

        if (value.Contains('\0', StringComparison.Ordinal))
        {
            yield return Validation.NoNul;
        }

        if (string.IsNullOrWhiteSpace(value))
        {
            yield return "must not be empty or white space; leave it out instead.";
        }

        if (Encoding.UTF8.GetByteCount(value) > MaxBytes)
        {
            yield return $"must be at most {MaxBytes} bytes of UTF-8.";
        }

        if (value.Contains("%2F", StringComparison.OrdinalIgnoreCase))
        {
            yield return "must not contain the text %2F, which is an encoded slash in paths.";
        }

        if (value is "." or "..")
        {
            yield return "must not be . or .., which cannot be used in a path.";
        }
    }
}

/// <summary>Text that is not empty and not only white space.</summary>
internal sealed class NotBlankRule<T> : PropertyValidator<T, string?>, IDocumentedRule
{
    public override string Name => "NotBlankRule";

    public override bool IsValid(ValidationContext<T> context, string? value) => value is null || !string.IsNullOrWhiteSpace(value);

    public void Document(OpenApiSchema schema) => schema.MinLength = 1;

    protected override string GetDefaultMessageTemplate(string errorCode) => "must not be empty or white space; leave it out instead.";
}

/// <summary>
/// A dataset name that can be used in a URL path: anything except <c>.</c> and <c>..</c>, which HTTP clients resolve as
/// relative paths.
/// </summary>
internal sealed class DatasetNameRule<T> : PropertyValidator<T, string?>
{
    public override string Name => "DatasetNameRule";

    public override bool IsValid(ValidationContext<T> context, string? value) => value is not ("." or "..");

    protected override string GetDefaultMessageTemplate(string errorCode) => "must not be . or .., which cannot be used in a path.";
}

/// <summary>An array with at least one item; null is allowed.</summary>
internal sealed class NotEmptyRule<T, TItem>(string message) : PropertyValidator<T, IReadOnlyList<TItem>?>, IDocumentedRule
{
    public override string Name => "NotEmptyRule";

    public override bool IsValid(ValidationContext<T> context, IReadOnlyList<TItem>? value) => value is not [];

    public void Document(OpenApiSchema schema) => schema.MinItems = 1;

    protected override string GetDefaultMessageTemplate(string errorCode) => message;
}

/// <summary>Text that is one of a fixed set of words.</summary>
/// <param name="words">The words to list in the OpenAPI document.</param>
/// <param name="contains">Whether a text is an accepted word.</param>
/// <param name="message">The error message for any other text.</param>
internal sealed class OneOfRule<T>(string[] words, Func<string, bool> contains, string message) : PropertyValidator<T, string?>,
    IDocumentedRule
{
    public override string Name => "OneOfRule";

    public override bool IsValid(ValidationContext<T> context, string? value) => value is null || contains(value);

    public void Document(OpenApiSchema schema)
    {
        schema.Enum = [.. words.Select(word => (System.Text.Json.Nodes.JsonNode)word)];
        if (schema.Type?.HasFlag(JsonSchemaType.Null) == true)
        {
            schema.Enum.Add(JsonNullSentinel.JsonNull);
        }
    }

    protected override string GetDefaultMessageTemplate(string errorCode) => message;
}

/// <summary>Text in a named format.</summary>
/// <param name="format">The value of <c>format</c> in the JSON schema.</param>
/// <param name="isValid">Whether a text has the format.</param>
/// <param name="message">The error message for any other text.</param>
internal sealed class FormatRule<T>(string format, Func<string, bool> isValid, string message) : PropertyValidator<T, string?>,
    IDocumentedRule
{
    public override string Name => "FormatRule";

    public override bool IsValid(ValidationContext<T> context, string? value) => value is null || isValid(value);

    public void Document(OpenApiSchema schema) => schema.Format = format;

    protected override string GetDefaultMessageTemplate(string errorCode) => message;
}

/// <summary>
/// A JSON value of one of the given types. Its text has at most 65,536 characters, so that a page of values fits into
/// one response. Other clients can read its numbers.
/// </summary>
/// <param name="kinds">The accepted JSON types.</param>
/// <param name="message">The error message for any other type.</param>
internal sealed class JsonRule<T>(JsonSchemaType kinds, string message) : PropertyValidator<T, RawJson?>, IDocumentedRule
{
    public override string Name => "JsonRule";

    public override bool IsValid(ValidationContext<T> context, RawJson? value)
    {
        if (RawJson.Stored(value) is not { } text)
        {
            return true;
        }

        var kind = text[0] switch
        {
            '{' => JsonSchemaType.Object,
            '[' => JsonSchemaType.Array,
            '"' => JsonSchemaType.String,
            't' or 'f' => JsonSchemaType.Boolean,
            _ => JsonSchemaType.Number,
        };
        if (JsonNumber.ContainsUnreadable(text))
        {
            context.AddFailure(JsonNumber.Unreadable);
        }

        return kinds.HasFlag(kind) && text.Length <= Validation.MaxMessage;
    }

    public void Document(OpenApiSchema schema)
    {
        if (kinds != Validation.AnyJson)
        {
            schema.OneOf = null;
            schema.Type = kinds | JsonSchemaType.Null;
            // This is set explicitly, because code generators treat an object schema without it as an object without
            // members.
            schema.AdditionalProperties = kinds.HasFlag(JsonSchemaType.Object) ? new OpenApiSchema() : null;
        }
    }

    protected override string GetDefaultMessageTemplate(string errorCode) => message + " The maximum length is 64 KiB.";
}
