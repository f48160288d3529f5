using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Data.Organizations;

namespace Catalog.Api.Organizations;

/// <summary>A key to make.</summary>
public sealed record PostApiKey
{
    /// <summary>What it is for, such as the name of the program that will hold it.</summary>
    public string? Name { get; init; }

    /// <summary>Of read, write, manage and execute; read and write unless given. None that the caller lacks.</summary>
    public IReadOnlyList<string?>? Scopes { get; init; }

    /// <summary>When it ends by itself, in the future; without one it does not.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>How to rotate a key.</summary>
public sealed record RotateApiKey
{
    /// <summary>For how many seconds the old key goes on beside the new one, 0 to 2,592,000 (30 days); a day unless given.</summary>
    public long? OverlapSeconds { get; init; }
}

/// <summary>A key, without its secret.</summary>
public record ApiKeyItem
{
    /// <summary>The public part, which logs may show.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>live, expired or revoked.</summary>
    public required string Status { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who made it: a key's id, a token's subject, or the operator.</summary>
    public required string CreatedBy { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>The key that a rotation made in its place.</summary>
    public string? ReplacedBy { get; init; }

    /// <summary>About when it was last used, to a minute or two; null: never.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    internal static ApiKeyItem From(ApiKey key, DateTimeOffset now) => new()
    {
        Id = key.Id,
        Name = key.Name,
        Scopes = key.Scopes.Split(' '),
        Status = key.RevokedAt is not null ? "revoked" : key.IsLive(now) ? "live" : "expired",
        CreatedAt = key.CreatedAt,
        CreatedBy = key.CreatedBy,
        ExpiresAt = key.ExpiresAt,
        RevokedAt = key.RevokedAt,
        ReplacedBy = key.ReplacedBy,
        LastUsedAt = key.LastUsedAt,
    };
}

/// <summary>A key that was just made.</summary>
public sealed record NewApiKey
{
    /// <summary>The public part, which logs may show.</summary>
    public required string Id { get; init; }

    /// <summary>The key itself, shown this once.</summary>
    public required string Key { get; init; }

    public required string Name { get; init; }
    public required IReadOnlyList<string> Scopes { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }

    internal static NewApiKey From(KeyText text, ApiKey key) => new()
    {
        Id = key.Id,
        Key = text.ToText(),
        Name = key.Name,
        Scopes = key.Scopes.Split(' '),
        CreatedAt = key.CreatedAt,
        ExpiresAt = key.ExpiresAt,
    };
}

/// <summary>Which keys to list.</summary>
public sealed record ApiKeyQuery : ListQuery
{
    internal override string List => "api_keys";
}
