namespace Catalog.Data.Connections;

/// <summary>A registered warehouse connection.</summary>
public sealed record Connection
{
    public required string Id { get; init; }

    /// <summary>The kind of warehouse, such as postgres.</summary>
    public required string Type { get; init; }

    /// <summary>The configuration that may be shown, a JSON object with a mask in place of each secret.</summary>
    public required string Config { get; init; }

    /// <summary>
    /// The masked fields with their values, a JSON object encrypted by <see cref="SecretBox"/>; null when there are no
    /// secrets.
    /// </summary>
    public byte[]? Secrets { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}
