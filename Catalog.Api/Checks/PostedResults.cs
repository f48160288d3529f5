using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Checks;
using FluentValidation;

namespace Catalog.Api.Checks;

/// <summary>The results of one post, sorted into those to store and those that are rejected alone.</summary>
internal sealed class PostedResults
{
    private readonly List<CheckResult> _accepted = [];
    private readonly List<int> _indexes = [];
    private readonly List<(int, string?, string)> _rejected = [];
    private int _derived;

    /// <summary>Whether the body was one bare result.</summary>
    public bool Single { get; private init; }

    /// <summary>How many results the body held.</summary>
    public int Count => _accepted.Count + _rejected.Count;

    /// <summary>Those that are valid.</summary>
    public IReadOnlyList<CheckResult> Accepted => _accepted;

    /// <summary>The place in the request of each of <see cref="Accepted"/>.</summary>
    public IReadOnlyList<int> Indexes => _indexes;

    /// <summary>Place, id where one could be read, and reason.</summary>
    public IReadOnlyList<(int Index, string? Id, string Reason)> Rejected => _rejected;

    /// <summary>Why the whole post is refused, or null.</summary>
    public Problem? Problem { get; private init; }

    /// <summary>Reads a body.</summary>
    /// <param name="body">One result, an array of them, or an object that holds the array.</param>
    /// <param name="derive">The id for the first, second and so on of those that have none, or null: make one.</param>
    /// <param name="validator">Judges each result.</param>
    /// <param name="now">When the body was received.</param>
    public static PostedResults Read(JsonElement body, Func<int, string?> derive, IValidator<PostCheckResult> validator, DateTimeOffset now)
    {
        if (body.ValueKind == JsonValueKind.Array)
        {
            return ReadMany(body, derive, validator, now);
        }

        if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty("results", out var results))
        {
            return results.ValueKind != JsonValueKind.Array ? new() { Problem = Problems.Invalid("/results", "must be an array of results.") }
                : body.GetPropertyCount() > 1 ? new() { Problem = Problems.Invalid("/results", "must be the only field, given once.") }
                : ReadMany(results, derive, validator, now);
        }

        var (result, errors) = ReadOne(body, validator);
        if (errors is not null)
        {
            return new() { Problem = Problems.Invalid(errors) };
        }

        var posted = new PostedResults { Single = true };
        posted.Accept(0, result!, derive, CanonicalJson.Hash(body), null, now);
        return posted;
    }

    private static PostedResults ReadMany(JsonElement array, Func<int, string?> derive, IValidator<PostCheckResult> validator, DateTimeOffset now)
    {
        if (array.GetArrayLength() > Limits.BulkItems)
        {
            return new() { Problem = Problems.TooLarge($"One post takes at most {Limits.BulkItems} results. Send them in parts.") };
        }

        var posted = new PostedResults();
        // A repeat of a keyed post must repeat all of it.
        var whole = derive(0) is null ? null : CanonicalJson.Hash(array);
        foreach (var (index, item) in array.EnumerateArray().Index())
        {
            var (result, errors) = ReadOne(item, validator);
            if (errors is null)
            {
                posted.Accept(index, result!, derive, CanonicalJson.Hash(item), whole, now);
            }
            else
            {
                var reason = string.Join(" ", errors.Select(error => $"{error.Key} {string.Join(" ", error.Value)}".Trim()));
                posted._rejected.Add((index, IdOf(item), reason));
            }
        }

        return posted;
    }

    private void Accept(int index, PostCheckResult result, Func<int, string?> derive, byte[] hash, byte[]? whole, DateTimeOffset now)
    {
        var derived = result.Id is null ? derive(_derived) : null;
        if (derived is not null)
        {
            _derived++;
            hash = whole ?? hash;
        }

        _accepted.Add(result.ToResult(derived ?? result.Id ?? Guid.CreateVersion7().ToString(), hash, now) with { IdIsDerived = derived is not null });
        _indexes.Add(index);
    }

    private static (PostCheckResult?, Dictionary<string, string[]>?) ReadOne(JsonElement item, IValidator<PostCheckResult> validator)
    {
        var (result, errors) = JsonBody.Parse<PostCheckResult>(item);
        return (result, errors ?? validator.Errors(result!));
    }

    private static string? IdOf(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String ? id.GetString() : null;
}
