using FluentValidation;
using Microsoft.OpenApi;

namespace Catalog.Api.Http;

/// <summary>Runs validators, and contains the rules that several contracts share.</summary>
internal static class Validation
{
    public const int MaxKey = 256;
    public const int MaxDataset = 2048;
    public const int MaxMessage = 64 * 1024;

    public const JsonSchemaType AnyJson =
        JsonSchemaType.Object | JsonSchemaType.Array | JsonSchemaType.String | JsonSchemaType.Boolean | JsonSchemaType.Number;

    public const string NoNul = "must not contain the character U+0000, which Postgres cannot store.";

    // A body of 1 MiB can have an error in each of 600,000 fields, whose messages would take 28 MB.
    private const int MaxPointers = 100;

    // A wrong time zone puts the clock of a client ahead by less than this.
    private static readonly TimeSpan MaxAhead = TimeSpan.FromHours(24);

    /// <summary>Validates a value.</summary>
    /// <returns>
    /// The error messages by JSON pointer; null when the value is valid. If there are more than 100 pointers, the first
    /// 100 are listed, and a message for the whole value says how many there are.
    /// </returns>
    public static Dictionary<string, string[]>? Errors<T>(this IValidator<T> validator, T value)
    {
        var result = validator.Validate(value);
        if (result.IsValid)
        {
            return null;
        }

        var byPointer = result.Errors.ToLookup(
            error => error.PropertyName is ['/', ..] ? error.PropertyName : JsonPointer.OfProperty(error.PropertyName),
            error => error.ErrorMessage,
            StringComparer.Ordinal);
        var errors = byPointer.Take(MaxPointers).ToDictionary(group => group.Key, group => group.Distinct().ToArray());
        if (byPointer.Count > MaxPointers)
        {
            errors[""] = [.. errors.GetValueOrDefault("", []),
                $"has errors in {byPointer.Count} fields, of which {MaxPointers} are listed. Correct them and send it again to see more."];
        }

        return errors;
    }

    /// <summary>A required id or name: at most 256 characters, and usable in a URL path without ambiguity.</summary>
    public static IRuleBuilderOptions<T, string?> Key<T>(this IRuleBuilder<T, string?> rule) => rule
        .NotNull().WithMessage("is required.")
        .OptionalKey();

    /// <summary>Like <see cref="Key{T}"/>, but null is allowed.</summary>
    public static IRuleBuilderOptions<T, string?> OptionalKey<T>(this IRuleBuilder<T, string?> rule) => rule
        .SetValidator(new KeyRule<T>());

    /// <summary>The id of a dataset. It may be longer than a key, because warehouses use long names.</summary>
    public static IRuleBuilderOptions<T, string?> DatasetName<T>(this IRuleBuilder<T, string?> rule) => rule
        .Text(MaxDataset)
        .SetValidator(new NotBlankRule<T>())
        .SetValidator(new DatasetNameRule<T>());

    /// <summary>Text of at most <paramref name="max"/> characters that both database engines can store.</summary>
    public static IRuleBuilderOptions<T, string?> Text<T>(this IRuleBuilder<T, string?> rule, int max) => rule
        .SetValidator(new LengthRule<T>(max))
        .Must(text => text is null || !text.Contains('\0', StringComparison.Ordinal)).WithMessage(NoNul);

    /// <summary>Text that is one of the given words.</summary>
    public static IRuleBuilderOptions<T, string?> OneOf<T>(this IRuleBuilder<T, string?> rule, IEnumerable<string> words)
    {
        string[] all = [.. words];
        return rule.SetValidator(
            new OneOfRule<T>(all, word => all.Contains(word, StringComparer.Ordinal), $"must be one of: {string.Join(", ", all)}."));
    }

    /// <summary>
    /// Text that is a key of a dictionary from accepted words to stored words. The dictionary's comparer decides about
    /// letter case.
    /// </summary>
    public static IRuleBuilderOptions<T, string?> OneOf<T>(this IRuleBuilder<T, string?> rule, IReadOnlyDictionary<string, string> words) =>
        rule.SetValidator(new OneOfRule<T>(
        [.. words.Keys], words.ContainsKey,
        $"must be one of: {string.Join(", ", words.Values.Distinct())}, or a synonym that another tool uses, such as "
            + $"{words.Keys.First(word => !words.Values.Contains(word))}."));

    /// <summary>A count: 0 or more.</summary>
    public static IRuleBuilderOptions<T, long?> Count<T>(this IRuleBuilder<T, long?> rule) =>
        rule.GreaterThanOrEqualTo(0).WithMessage("must be 0 or more.");

    /// <summary>A time of an event: at most 24 hours ahead of the service's clock.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="time">The service's clock.</param>
    /// <param name="without">What a missing time means, as a clause of the message; empty when it means nothing.</param>
    public static IRuleBuilderOptions<T, DateTimeOffset?> NotFarAhead<T>(
        this IRuleBuilder<T, DateTimeOffset?> rule, TimeProvider time, string without = "") => rule
        .Must(at => at is null || at - time.GetUtcNow() <= MaxAhead)
        .WithMessage($"is more than 24 hours ahead of the service's clock. Correct it, or leave it out{without}.");

    /// <summary>An array item that must not be null.</summary>
    public static IRuleBuilderOptions<T, TItem?> Present<T, TItem>(this IRuleBuilder<T, TItem?> rule) where TItem : class =>
        rule.NotNull().WithMessage("must be an object, not null.");

    /// <summary>A JSON object; null is allowed.</summary>
    public static IRuleBuilderOptions<T, RawJson?> Object<T>(this IRuleBuilder<T, RawJson?> rule) =>
        rule.SetValidator(new JsonRule<T>(JsonSchemaType.Object, "must be an object."));

    /// <summary>Any JSON value; null is allowed.</summary>
    public static IRuleBuilderOptions<T, RawJson?> Value<T>(this IRuleBuilder<T, RawJson?> rule) =>
        rule.SetValidator(new JsonRule<T>(AnyJson, "must be a JSON value."));
}
