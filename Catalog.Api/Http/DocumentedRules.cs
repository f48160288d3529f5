using System.Buffers;
using System.Text;
using FluentValidation;
using FluentValidation.Validators;
using Microsoft.OpenApi;

namespace Catalog.Api.Http;

/// <summary>A rule that can say itself in a JSON schema, so that the document and the service cannot come to differ.</summary>
internal interface IDocumentedRule
{
    void Document(OpenApiSchema schema);
}

/// <summary>Text of at most so many characters, as Unicode counts them.</summary>
internal sealed class LengthRule<T>(int most) : PropertyValidator<T, string?>, IDocumentedRule
{
    public override string Name => "LengthRule";

    public override bool IsValid(ValidationContext<T> context, string? value) =>
        value is null || !IsLonger(value, most);

    public void Document(OpenApiSchema schema) => schema.MaxLength = most;

    internal static bool IsLonger(string value, int most) => value.Length > most && value.Length - value.Count(char.IsHighSurrogate) > most;

    protected override string GetDefaultMessageTemplate(string errorCode) => $"must be at most {most} characters long.";
}

/// <summary>A key as clients write it, which a path can name without doubt. One rule for all that keys must be, because every post has several.</summary>
internal sealed class KeyRule<T> : PropertyValidator<T, string?>, IDocumentedRule
{
    // Three keys and the organization must fit into one index row of Postgres, 2,704 bytes.
    private const int MaxBytes = 768;

    private static readonly SearchValues<char> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-:+/");

    public override string Name => "KeyRule";

    public override bool IsValid(ValidationContext<T> context, string? value)
    {
        if (value is null || (value.Length is > 0 and <= Validation.MaxKey && !value.AsSpan().ContainsAnyExcept(Plain)))
        {
            return true;
        }

        foreach (var wrong in Wrong(value))
        {
            context.AddFailure(wrong);
        }

        // What is wrong has been said.
        return true;
    }

    public void Document(OpenApiSchema schema) => (schema.MinLength, schema.MaxLength) = (1, Validation.MaxKey);

    private static IEnumerable<string> Wrong(string value)
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
            yield return "must not hold the text %2F, which stands for a slash in paths.";
        }

        if (value is "." or "..")
        {
            yield return "must not be . or .., which no path can name.";
        }
    }
}

/// <summary>Neither empty nor white space alone.</summary>
internal sealed class NotBlankRule<T> : PropertyValidator<T, string?>, IDocumentedRule
{
    public override string Name => "NotBlankRule";

    public override bool IsValid(ValidationContext<T> context, string? value) => value is null || !string.IsNullOrWhiteSpace(value);

    public void Document(OpenApiSchema schema) => schema.MinLength = 1;

    protected override string GetDefaultMessageTemplate(string errorCode) => "must not be empty or white space; leave it out instead.";
}

/// <summary>A dataset's name, which a path can hold: all but the two that mean a place in a path.</summary>
internal sealed class DatasetNameRule<T> : PropertyValidator<T, string?>
{
    public override string Name => "DatasetNameRule";

    public override bool IsValid(ValidationContext<T> context, string? value) => value is not ("." or "..");

    protected override string GetDefaultMessageTemplate(string errorCode) => "must not be . or .., which no path can name.";
}

/// <summary>An array that holds something, where there is one.</summary>
internal sealed class NotEmptyRule<T, TItem>(string message) : PropertyValidator<T, IReadOnlyList<TItem>?>, IDocumentedRule
{
    public override string Name => "NotEmptyRule";

    public override bool IsValid(ValidationContext<T> context, IReadOnlyList<TItem>? value) => value is not [];

    public void Document(OpenApiSchema schema) => schema.MinItems = 1;

    protected override string GetDefaultMessageTemplate(string errorCode) => message;
}

/// <summary>One of a few words.</summary>
/// <param name="words">The words, for the document.</param>
/// <param name="knows">Whether a text is one of them.</param>
/// <param name="message">What to say of one that is not.</param>
internal sealed class WordRule<T>(string[] words, Func<string, bool> knows, string message) : PropertyValidator<T, string?>, IDocumentedRule
{
    public override string Name => "WordRule";

    public override bool IsValid(ValidationContext<T> context, string? value) => value is null || knows(value);

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

/// <summary>Text in a form that has a name of its own.</summary>
internal sealed class FormRule<T>(string format, Func<string, bool> judge, string message) : PropertyValidator<T, string?>, IDocumentedRule
{
    public override string Name => "FormRule";

    public override bool IsValid(ValidationContext<T> context, string? value) => value is null || judge(value);

    public void Document(OpenApiSchema schema) => schema.Format = format;

    protected override string GetDefaultMessageTemplate(string errorCode) => message;
}

/// <summary>A JSON value of one of a few kinds and at most 64 KiB, so that a page of them can be answered, and with numbers that all can read.</summary>
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
        if (JsonNumber.HoldsUnreadable(text))
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
            // Said, because generators take an object without it for one that holds nothing.
            schema.AdditionalProperties = kinds.HasFlag(JsonSchemaType.Object) ? new OpenApiSchema() : null;
        }
    }

    protected override string GetDefaultMessageTemplate(string errorCode) => message + " It may be 64 KiB long.";
}
