using FluentValidation;
using Microsoft.OpenApi;

namespace Catalog.Api.Http;

/// <summary>Runs validators, and holds the rules that several contracts share.</summary>
internal static class Validation
{
    public const int MaxKey = 256;
    public const int MaxDataset = 2048;
    public const int MaxMessage = 64 * 1024;

    public const JsonSchemaType AnyJson =
        JsonSchemaType.Object | JsonSchemaType.Array | JsonSchemaType.String | JsonSchemaType.Boolean | JsonSchemaType.Number;

    public const string NoNul = "must not hold the character U+0000, which Postgres cannot keep.";

    /// <summary>The errors by JSON pointer, or null when the value is valid.</summary>
    public static Dictionary<string, string[]>? Errors<T>(this IValidator<T> validator, T value)
    {
        var result = validator.Validate(value);
        return result.IsValid
            ? null
            : result.Errors.GroupBy(error => error.PropertyName is ['/', ..] ? error.PropertyName : JsonPointer.OfProperty(error.PropertyName), StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Select(error => error.ErrorMessage).Distinct().ToArray());
    }

    /// <summary>A key as clients write it: present, at most 256 characters, and such that a path can name it without doubt.</summary>
    public static IRuleBuilderOptions<T, string?> Key<T>(this IRuleBuilder<T, string?> rule) => rule
        .NotNull().WithMessage("is required.")
        .OptionalKey();

    /// <summary>As <see cref="Key{T}"/>, where there may be none.</summary>
    public static IRuleBuilderOptions<T, string?> OptionalKey<T>(this IRuleBuilder<T, string?> rule) => rule
        .SetValidator(new KeyRule<T>());

    /// <summary>The id of a dataset; longer than a key, because warehouses name them so.</summary>
    public static IRuleBuilderOptions<T, string?> DatasetName<T>(this IRuleBuilder<T, string?> rule) => rule
        .Text(MaxDataset)
        .SetValidator(new NotBlankRule<T>())
        .SetValidator(new DatasetNameRule<T>());

    /// <summary>Text of at most <paramref name="most"/> characters that both engines can keep.</summary>
    public static IRuleBuilderOptions<T, string?> Text<T>(this IRuleBuilder<T, string?> rule, int most) => rule
        .SetValidator(new LengthRule<T>(most))
        .Must(text => text is null || !text.Contains('\0', StringComparison.Ordinal)).WithMessage(NoNul);

    /// <summary>One of a few words.</summary>
    public static IRuleBuilderOptions<T, string?> Word<T>(this IRuleBuilder<T, string?> rule, IEnumerable<string> words)
    {
        string[] all = [.. words];
        return rule.SetValidator(new WordRule<T>(all, word => all.Contains(word, StringComparer.Ordinal), $"must be one of: {string.Join(", ", all)}."));
    }

    /// <summary>A key of a table that says what is stored for it, which may know a word in any letter case.</summary>
    public static IRuleBuilderOptions<T, string?> Word<T>(this IRuleBuilder<T, string?> rule, IReadOnlyDictionary<string, string> words) => rule.SetValidator(new WordRule<T>(
        [.. words.Keys], words.ContainsKey, $"must be one of: {string.Join(", ", words.Values.Distinct())}, or another tool's word for one of these."));

    /// <summary>A count: zero or more.</summary>
    public static IRuleBuilderOptions<T, long?> Count<T>(this IRuleBuilder<T, long?> rule) =>
        rule.GreaterThanOrEqualTo(0).WithMessage("must be 0 or more.");

    /// <summary>An item of an array that must not be null.</summary>
    public static IRuleBuilderOptions<T, TItem?> Present<T, TItem>(this IRuleBuilder<T, TItem?> rule) where TItem : class =>
        rule.NotNull().WithMessage("must be an object, not null.");

    /// <summary>A JSON object, where there is anything.</summary>
    public static IRuleBuilderOptions<T, RawJson?> Object<T>(this IRuleBuilder<T, RawJson?> rule) =>
        rule.SetValidator(new JsonRule<T>(JsonSchemaType.Object, "must be an object."));

    /// <summary>Any JSON value.</summary>
    public static IRuleBuilderOptions<T, RawJson?> Value<T>(this IRuleBuilder<T, RawJson?> rule) =>
        rule.SetValidator(new JsonRule<T>(AnyJson, "must be a JSON value."));
}
