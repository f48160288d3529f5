namespace Catalog.Data.Connections;

/// <summary>A registered warehouse connection.</summary>
public sealed record Connection
{
    public required string Id { get; init; }

    /// <summary>The kind of warehouse, such as postgres.</summary>
    public required string Type { get; init; }

    /// <summary>A JSON object: everything that may be shown, with a mask where a secret is.</summary>
    public required string Config { get; init; }

    /// <summary>The secrets, sealed by <see cref="SecretBox"/>: a JSON object by the names that are masked; null when there are none.</summary>
    public byte[]? Secrets { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}
