using Catalog.Api.Http;
using Catalog.Data.Connections;

namespace Catalog.Api.Connections;

/// <summary>The new content of a warehouse connection.</summary>
public record PutConnection
{
    /// <summary>
    /// The type of the warehouse, such as <c>postgres</c>: lower-case letters, digits, <c>_</c> and <c>-</c>.
    /// </summary>
    public string? Type { get; init; }

    /// <summary>
    /// A JSON object. For <c>postgres</c>: either <c>dsn</c>, or <c>host</c>, <c>port</c> (default 5432), <c>user</c>,
    /// <c>dbname</c>, <c>sslmode</c> and <c>password</c> or <c>password_secret</c>. For <c>mysql</c>, <c>mariadb</c>
    /// and <c>clickhouse</c>: the same fields without <c>dsn</c>, with the usual port of the database as the default.
    /// For <c>sqlite</c> and <c>duckdb</c>: <c>path</c>, the name of a file below the folder of the organization. A
    /// field whose name ends in <c>_secret</c> refers to a secret (<c>vault/data/db-password</c>, <c>path#key</c>,
    /// <c>env:NAME</c> or <c>file:/path</c>) and does not contain it. Secret values are stored encrypted and never
    /// returned.
    /// </summary>
    public RawJson? Config { get; init; }
}

/// <summary>A warehouse connection to register.</summary>
public sealed record PostConnection : PutConnection
{
    /// <summary>The id of the connection, chosen by the client; at most 256 characters.</summary>
    public string? Id { get; init; }
}

/// <summary>A registered warehouse connection. Secrets are always masked.</summary>
public sealed record ConnectionItem
{
    public required string Id { get; init; }
    public required string Type { get; init; }

    /// <summary>The configuration, with <c>***</c> in place of each secret value.</summary>
    public required RawJson Config { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the connection was registered or last replaced.</summary>
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

/// <summary>The result of a connection test.</summary>
public sealed record ConnectionTest
{
    /// <summary>
    /// <c>ok</c>; <c>unreachable</c>: the server does not answer, or its host name cannot be resolved;
    /// <c>authentication_failed</c>: wrong user or password; <c>database_missing</c>; <c>tls_failed</c>;
    /// <c>secret_unavailable</c>: a secret could not be read; or <c>refused</c>: the service does not connect to this
    /// address or type of warehouse.
    /// </summary>
    public required string Status { get; init; }

    /// <summary>
    /// What to do about the failure. With <c>ok</c>: null, or a warning that the user is a superuser.
    /// </summary>
    public string? Detail { get; init; }
}

/// <summary>The query parameters of the list of connections.</summary>
public sealed record ConnectionQuery : ListQuery
{
    internal override string List => "connections";

    /// <summary>Only connections of this type.</summary>
    public string? Type { get; init; }
}
