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

    public static PostedResults Read(JsonElement body, IValidator<PostCheckResult> validator, DateTimeOffset now)
    {
        if (body.ValueKind == JsonValueKind.Array)
        {
            return ReadMany(body, validator, now);
        }

        if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty("results", out var results))
        {
            return results.ValueKind != JsonValueKind.Array ? new() { Problem = Problems.Invalid("/results", "must be an array of results.") }
                : body.EnumerateObject().FirstOrDefault(member => member.Name != "results") is { Value.ValueKind: not JsonValueKind.Undefined } other
                    ? new() { Problem = Problems.Invalid(JsonPointer.OfPath("$['" + other.Name + "']"), "is not a field here; check its spelling.") }
                    : ReadMany(results, validator, now);
        }

        var (result, errors) = ReadOne(body, validator);
        if (errors is not null)
        {
            return new() { Problem = Problems.Invalid(errors) };
        }

        var posted = new PostedResults { Single = true };
        posted.Accept(0, body, result!, now);
        return posted;
    }

    private static PostedResults ReadMany(JsonElement array, IValidator<PostCheckResult> validator, DateTimeOffset now)
    {
        if (array.GetArrayLength() > Limits.BulkItems)
        {
            return new() { Problem = Problems.TooLarge($"One post takes at most {Limits.BulkItems} results. Send them in parts.") };
        }

        var posted = new PostedResults();
        foreach (var (index, item) in array.EnumerateArray().Index())
        {
            var (result, errors) = ReadOne(item, validator);
            if (errors is null)
            {
                posted.Accept(index, item, result!, now);
            }
            else
            {
                var reason = string.Join(" ", errors.Select(error => $"{error.Key} {string.Join(" ", error.Value)}".Trim()));
                posted._rejected.Add((index, IdOf(item), reason));
            }
        }

        return posted;
    }

    private void Accept(int index, JsonElement item, PostCheckResult result, DateTimeOffset now)
    {
        _accepted.Add(result.ToResult(CanonicalJson.Hash(item), now));
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
