namespace Catalog.Data.Connections;

/// <summary>A registered warehouse connection.</summary>
public sealed record Connection
{
    public required string Id { get; init; }

    /// <summary>The kind of warehouse, such as postgres.</summary>
    public required string Type { get; init; }

    /// <summary>The configuration as clients see it: a JSON object with a mask instead of each secret.</summary>
    public required string Config { get; init; }

    /// <summary>
    /// The masked fields with their secret values: a JSON object that <see cref="SecretBox"/> has encrypted. Null when
    /// there are no secrets.
    /// </summary>
    public byte[]? Secrets { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}
