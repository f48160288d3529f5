namespace Catalog.Api.Checks;

/// <summary>The outcome of a single result.</summary>
public sealed record ResultReceipt
{
    /// <summary>The result's id.</summary>
    public required string Id { get; init; }

    /// <summary>stored or duplicate. duplicate means that the same result was stored before.</summary>
    public required string Outcome { get; init; }
}

/// <summary>The outcomes of several results.</summary>
public sealed record ResultReceipts
{
    /// <summary>One receipt for each result, in the order of the request.</summary>
    public required IReadOnlyList<ItemReceipt> Items { get; init; }
}

/// <summary>The outcome of one of several results.</summary>
public sealed record ItemReceipt
{
    /// <summary>The index of the result in the request, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The result's id; null when a rejected result has none.</summary>
    public string? Id { get; init; }

    /// <summary>stored, duplicate or rejected.</summary>
    public required string Outcome { get; init; }

    /// <summary>
    /// The error code of a rejected result, for programs. The code is stable. A result that is posted alone gets the
    /// same code. Null when the result was not rejected.
    /// </summary>
    public string? Code { get; init; }

    /// <summary>The reason of a rejection, for people. Null when the result was not rejected.</summary>
    public string? Reason { get; init; }
}
