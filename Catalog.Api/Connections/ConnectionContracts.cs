using Catalog.Api.Http;
using Catalog.Data.Connections;

namespace Catalog.Api.Connections;

/// <summary>A warehouse connection, to replace one.</summary>
public record PutConnection
{
    /// <summary>The kind of warehouse, such as postgres.</summary>
    public string? Type { get; init; }

    /// <summary>
    /// For postgres: <c>dsn</c>, or <c>host</c>, <c>port</c> (5432), <c>user</c>, <c>dbname</c>, <c>sslmode</c> and <c>password</c> or
    /// <c>password_secret</c>. A field that ends in <c>_secret</c> holds a Vault reference (<c>vault/data/db-password</c> or
    /// <c>path#key</c>), never a value. Secret values are kept encrypted and never shown again.
    /// </summary>
    public RawJson? Config { get; init; }
}

/// <summary>A warehouse connection.</summary>
public sealed record PostConnection : PutConnection
{
    /// <summary>The connection's id.</summary>
    public string? Id { get; init; }
}

/// <summary>A registered connection. Secrets are masked, for everybody.</summary>
public sealed record ConnectionItem
{
    public required string Id { get; init; }
    public required string Type { get; init; }

    /// <summary>The configuration, <c>***</c> where a secret is.</summary>
    public required RawJson Config { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    internal static ConnectionItem From(Connection connection) => new()
    {
        Id = connection.Id,
        Type = connection.Type,
        Config = new(connection.Config),
        CreatedAt = connection.CreatedAt,
        UpdatedAt = connection.UpdatedAt,
    };
}

/// <summary>What a test of a connection found.</summary>
public sealed record ConnectionTest
{
    /// <summary>ok, unreachable, authentication_failed, database_missing, tls_failed, secret_unavailable or refused.</summary>
    public required string Status { get; init; }
}

/// <summary>Which connections to list.</summary>
public sealed record ConnectionQuery : ListQuery
{
    internal override string List => "connections";

    /// <summary>Only connections of this type.</summary>
    public string? Type { get; init; }
}
