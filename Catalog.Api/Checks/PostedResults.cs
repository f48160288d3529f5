using System.Security.Cryptography;
using System.Text.Json;
using Catalog.Api.Http;
using Catalog.Data;
using Catalog.Data.Checks;
using FluentValidation;

namespace Catalog.Api.Checks;

/// <summary>The results of one request, divided into valid and rejected ones.</summary>
internal sealed class PostedResults
{
    private readonly List<CheckResult> _accepted = [];
    private readonly List<int> _indexes = [];
    private readonly List<ItemReceipt> _rejected = [];
    private int _derivedIds;

    /// <summary>Whether the body is one result and not a list.</summary>
    public bool IsSingle { get; private init; }

    /// <summary>The number of results in the body.</summary>
    public int Count => _accepted.Count + _rejected.Count;

    /// <summary>The valid results.</summary>
    public IReadOnlyList<CheckResult> Accepted => _accepted;

    /// <summary>For each item of <see cref="Accepted"/>, its index in the request.</summary>
    public IReadOnlyList<int> Indexes => _indexes;

    /// <summary>The receipts of the rejected results.</summary>
    public IReadOnlyList<ItemReceipt> Rejected => _rejected;

    /// <summary>The problem for which the whole request is rejected; null when there is none.</summary>
    public Problem? Problem { get; private init; }

    /// <summary>How to read a body.</summary>
    /// <param name="DeriveId">
    /// Derives an id from the idempotency key and a number. The number counts the results without an id, from 0.
    /// Returns null when there is no key.
    /// </param>
    /// <param name="Validator">Validates each result.</param>
    /// <param name="Now">The time of receipt.</param>
    internal sealed record ReadOptions(Func<int, string?> DeriveId, IValidator<PostCheckResult> Validator, DateTimeOffset Now);

    /// <summary>Reads a body.</summary>
    /// <param name="body">One result, an array of results, or an object whose only member <c>results</c> is the
    /// array.</param>
    /// <param name="options">How to read the body.</param>
    public static PostedResults Read(JsonElement body, ReadOptions options)
    {
        if (body.ValueKind == JsonValueKind.Array)
        {
            return ReadMany(body, options);
        }

        if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty("results", out var results))
        {
            return results.ValueKind != JsonValueKind.Array
                ? new() { Problem = Problems.Invalid("/results", "must be an array of results.") }
                : body.GetPropertyCount() > 1 ? new() { Problem = Problems.Invalid("/results", "must be the only field, given once.") }
                : ReadMany(results, options);
        }

        var (result, errors) = JsonParser.Parse(body, options.Validator);
        if (errors is not null)
        {
            return new() { Problem = Problems.Invalid(errors) };
        }

        var posted = new PostedResults { IsSingle = true };
        posted.Accept(0, result!, options, CanonicalJson.Hash(body), null);
        return posted;
    }

    /// <summary>Reads the items of a body one by one, when the whole body is not valid JSON.</summary>
    /// <returns>Null when the items cannot be separated, or the body is not an array.</returns>
    public static PostedResults? ReadItems(ReadOnlyMemory<byte> body, ReadOptions options)
    {
        if (JsonItems.Split(body, "\"results\""u8) is not { } items)
        {
            return null;
        }

        if (items.Count > RequestLimits.BulkItems)
        {
            return TooMany();
        }

        var posted = new PostedResults();
        var requestHash = SHA256.HashData(body.Span);
        foreach (var (index, item) in items.Index())
        {
            var (json, problem) = JsonParser.ParseDocument(item, "item");
            using (json)
            {
                if (json is null)
                {
                    posted._rejected.Add(Rejection(index, null, problem!));
                }
                else
                {
                    posted.Add(index, json.RootElement, options, requestHash);
                }
            }
        }

        return posted;
    }

    /// <summary>The receipt of a rejected item.</summary>
    public static ItemReceipt Rejection(int index, string? id, Problem problem) =>
        new() { Index = index, Id = id, Outcome = "rejected", Code = problem.Code, Reason = problem.Detail };

    private static PostedResults ReadMany(JsonElement array, ReadOptions options)
    {
        if (array.GetArrayLength() > RequestLimits.BulkItems)
        {
            return TooMany();
        }

        var posted = new PostedResults();
        // An idempotency key belongs to the whole list, so a repeated request must contain the same list. The hash of
        // the list shows whether it does.
        var requestHash = options.DeriveId(0) is null ? null : CanonicalJson.Hash(array);
        foreach (var (index, item) in array.EnumerateArray().Index())
        {
            posted.Add(index, item, options, requestHash);
        }

        return posted;
    }

    private static PostedResults TooMany() =>
        new() { Problem = Problems.TooLarge($"One post takes at most {RequestLimits.BulkItems} results. Send them in parts.") };

    private void Add(int index, JsonElement item, ReadOptions options, byte[]? requestHash)
    {
        var (result, errors) = JsonParser.Parse(item, options.Validator);
        if (errors is null)
        {
            Accept(index, result!, options, CanonicalJson.Hash(item), requestHash);
            return;
        }

        var reason = string.Join(" ", errors.Select(error => $"{error.Key} {string.Join(" ", error.Value)}".Trim()));
        _rejected.Add(Rejection(index, IdOf(item), Problems.Invalid(errors)) with { Reason = reason });
    }

    private void Accept(int index, PostCheckResult result, ReadOptions options, byte[] hash, byte[]? requestHash)
    {
        var derived = result.Id is null ? options.DeriveId(_derivedIds) : null;
        if (derived is not null)
        {
            _derivedIds++;
            hash = requestHash ?? hash;
        }

        _accepted.Add(result.ToResult(derived ?? result.Id ?? Guid.CreateVersion7().ToString(), hash, options.Now) with
        {
            IdIsDerived = derived is not null
        });
        _indexes.Add(index);
    }

    private static string? IdOf(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString() : null;
}
