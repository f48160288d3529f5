namespace Catalog.Api.Checks;

/// <summary>What became of a single result.</summary>
public sealed record ResultReceipt
{
    /// <summary>The result's id.</summary>
    public required string Id { get; init; }

    /// <summary>stored, or duplicate: the same result was stored before.</summary>
    public required string Outcome { get; init; }
}

/// <summary>What became of each of many results.</summary>
public sealed record ResultReceipts
{
    /// <summary>In the order of the request.</summary>
    public required IReadOnlyList<ItemReceipt> Items { get; init; }
}

/// <summary>What became of one of many results.</summary>
public sealed record ItemReceipt
{
    /// <summary>Its place in the request, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The result's id; null when it was rejected before it had one.</summary>
    public string? Id { get; init; }

    /// <summary>stored, duplicate or rejected.</summary>
    public required string Outcome { get; init; }

    /// <summary>Why it was rejected, stable and made for programs: the code that the same result posted alone is refused with; otherwise null.</summary>
    public string? Code { get; init; }

    /// <summary>Why it was rejected, otherwise null.</summary>
    public string? Reason { get; init; }
}
