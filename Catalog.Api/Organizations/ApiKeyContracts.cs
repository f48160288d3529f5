using Catalog.Api.Authentication;
using Catalog.Api.Http;
using Catalog.Data.Organizations;
using Microsoft.AspNetCore.Mvc;

namespace Catalog.Api.Organizations;

/// <summary>An API key to create.</summary>
public sealed record PostApiKey
{
    /// <summary>The purpose of the key, such as the name of the program that uses it; at most 256 characters.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// One or more of <c>read</c>, <c>write</c>, <c>manage</c> and <c>execute</c>. The default is <c>read</c> and
    /// <c>write</c>. The caller must have each of them.
    /// </summary>
    public IReadOnlyList<string?>? Scopes { get; init; }

    /// <summary>
    /// The lifetime of the key in seconds, 1 to 315,360,000 (ten years). Without it the key does not expire.
    /// </summary>
    public long? ExpiresInSeconds { get; init; }
}

/// <summary>The query parameters of a rotation.</summary>
public sealed record RotationQuery
{
    /// <summary>
    /// How many seconds the old key stays valid beside the new one, 0 to 2,592,000 (30 days). The default is 86,400
    /// (one day).
    /// </summary>
    [FromQuery(Name = "overlap_seconds")]
    public int? OverlapSeconds { get; init; }
}

/// <summary>A key, without its secret.</summary>
public record ApiKeyItem
{
    /// <summary>The id of the key: its public part, which may appear in logs.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary><c>live</c>, <c>expired</c> or <c>revoked</c>.</summary>
    public required string Status { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The creator: the id of a key, <c>oidc:</c> and the subject of a token, or the operator's key.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>When the key expires; null when it does not expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When the key was revoked; null when it was not revoked.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>The id of the key that replaced this one in a rotation; null when this key was not rotated.</summary>
    public string? ReplacedBy { get; init; }

    /// <summary>When the key was last used, accurate to about two minutes; null when it was never used.</summary>
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

/// <summary>A new API key.</summary>
public sealed record NewApiKey
{
    /// <summary>The id of the key: its public part, which may appear in logs.</summary>
    public required string Id { get; init; }

    /// <summary>The complete key. It is returned only in this response.</summary>
    public required string Key { get; init; }

    public required string Name { get; init; }
    public required IReadOnlyList<string> Scopes { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the key expires; null when it does not expire.</summary>
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

/// <summary>The query parameters of the list of keys.</summary>
public sealed record ApiKeyQuery : ListQuery
{
    internal override string List => "api_keys";
}
