using System.Security.Cryptography;
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
    private readonly List<ItemReceipt> _rejected = [];
    private int _derived;

    /// <summary>Whether the body was one bare result.</summary>
    public bool Single { get; private init; }

    /// <summary>How many results the body held.</summary>
    public int Count => _accepted.Count + _rejected.Count;

    /// <summary>Those that are valid.</summary>
    public IReadOnlyList<CheckResult> Accepted => _accepted;

    /// <summary>The place in the request of each of <see cref="Accepted"/>.</summary>
    public IReadOnlyList<int> Indexes => _indexes;

    /// <summary>The receipts of the others.</summary>
    public IReadOnlyList<ItemReceipt> Rejected => _rejected;

    /// <summary>Why the whole post is refused, or null.</summary>
    public Problem? Problem { get; private init; }

    /// <summary>What reading needs to know besides the body.</summary>
    /// <param name="Derive">The id for the first, second and so on of those that have none, or null: make one.</param>
    /// <param name="Validator">Judges each result.</param>
    /// <param name="Now">When the body was received.</param>
    internal sealed record Reading(Func<int, string?> Derive, IValidator<PostCheckResult> Validator, DateTimeOffset Now);

    /// <summary>Reads a body.</summary>
    /// <param name="body">One result, an array of them, or an object that holds the array.</param>
    /// <param name="reading">How to read each.</param>
    public static PostedResults Read(JsonElement body, Reading reading)
    {
        if (body.ValueKind == JsonValueKind.Array)
        {
            return ReadMany(body, reading);
        }

        if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty("results", out var results))
        {
            return results.ValueKind != JsonValueKind.Array ? new() { Problem = Problems.Invalid("/results", "must be an array of results.") }
                : body.GetPropertyCount() > 1 ? new() { Problem = Problems.Invalid("/results", "must be the only field, given once.") }
                : ReadMany(results, reading);
        }

        var (result, errors) = JsonBody.Parse(body, reading.Validator);
        if (errors is not null)
        {
            return new() { Problem = Problems.Invalid(errors) };
        }

        var posted = new PostedResults { Single = true };
        posted.Accept(0, result!, reading, CanonicalJson.Hash(body), null);
        return posted;
    }

    /// <summary>Reads a body that is not JSON as a whole, item by item.</summary>
    /// <returns>Null where its items cannot be told apart, or it is no array.</returns>
    public static PostedResults? ReadApart(ReadOnlyMemory<byte> body, Reading reading)
    {
        if (JsonItems.Split(body, "\"results\""u8) is not { } items)
        {
            return null;
        }

        if (items.Count > Limits.BulkItems)
        {
            return TooMany();
        }

        var posted = new PostedResults();
        var whole = SHA256.HashData(body.Span);
        foreach (var (index, item) in items.Index())
        {
            var (json, problem) = JsonBody.ParseDocument(item, "item");
            using (json)
            {
                if (json is null)
                {
                    posted._rejected.Add(Rejection(index, null, problem!));
                }
                else
                {
                    posted.Take(index, json.RootElement, reading, whole);
                }
            }
        }

        return posted;
    }

    /// <summary>The receipt of an item that was not stored.</summary>
    public static ItemReceipt Rejection(int index, string? id, Problem problem) =>
        new() { Index = index, Id = id, Outcome = "rejected", Code = problem.Code, Reason = problem.Detail };

    private static PostedResults ReadMany(JsonElement array, Reading reading)
    {
        if (array.GetArrayLength() > Limits.BulkItems)
        {
            return TooMany();
        }

        var posted = new PostedResults();
        // A repeat of a keyed post must repeat all of it.
        var whole = reading.Derive(0) is null ? null : CanonicalJson.Hash(array);
        foreach (var (index, item) in array.EnumerateArray().Index())
        {
            posted.Take(index, item, reading, whole);
        }

        return posted;
    }

    private static PostedResults TooMany() => new() { Problem = Problems.TooLarge($"One post takes at most {Limits.BulkItems} results. Send them in parts.") };

    private void Take(int index, JsonElement item, Reading reading, byte[]? whole)
    {
        var (result, errors) = JsonBody.Parse(item, reading.Validator);
        if (errors is null)
        {
            Accept(index, result!, reading, CanonicalJson.Hash(item), whole);
            return;
        }

        var reason = string.Join(" ", errors.Select(error => $"{error.Key} {string.Join(" ", error.Value)}".Trim()));
        _rejected.Add(Rejection(index, IdOf(item), Problems.Invalid(errors)) with { Reason = reason });
    }

    private void Accept(int index, PostCheckResult result, Reading reading, byte[] hash, byte[]? whole)
    {
        var derived = result.Id is null ? reading.Derive(_derived) : null;
        if (derived is not null)
        {
            _derived++;
            hash = whole ?? hash;
        }

        _accepted.Add(result.ToResult(derived ?? result.Id ?? Guid.CreateVersion7().ToString(), hash, reading.Now) with { IdIsDerived = derived is not null });
        _indexes.Add(index);
    }

    private static string? IdOf(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String ? id.GetString() : null;
}
