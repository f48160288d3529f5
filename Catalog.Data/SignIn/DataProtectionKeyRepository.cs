using Catalog.Data.Database;
using Catalog.Data.Organizations;

namespace Catalog.Data.SignIn;

/// <summary>
/// Stores the encrypted keys that protect cookies and forms. The keys belong to the deployment. They are stored in the
/// organization <c>default</c>, which always exists.
/// </summary>
public sealed class DataProtectionKeyRepository(CatalogDatabase db)
{
    /// <summary>Reads all keys, oldest first. About four keys are added in a year.</summary>
    public Task<List<DataProtectionKey>> List(CancellationToken ct)
    {
        const string Sql = """
            -- DataProtectionKeys.List
            select id, sealed
            from data_protection_keys
            where organization_id = @organization
            order by created_at, id
            """;

        return db.Many<DataProtectionKey>(Organization.Default, Sql, new { organization = Organization.Default }, ct);
    }

    /// <summary>Adds a key. A key with the same id stays as it is.</summary>
    public Task Add(DataProtectionKey key, DateTimeOffset now, CancellationToken ct) => db.Write(Organization.Default, session =>
    {
        const string Sql = """
            -- DataProtectionKeys.Add
            insert into data_protection_keys (organization_id, id, sealed, created_at)
            values (@organization, @Id, @Sealed, @now)
            on conflict (organization_id, id) do nothing
            """;

        return session.Execute(Sql, new { organization = Organization.Default, key.Id, key.Sealed, now }, ct);
    }, ct);
}

/// <summary>A key that protects cookies and forms.</summary>
public sealed record DataProtectionKey
{
    /// <summary>
    /// The encryption authenticates this prefix together with the id. For secrets of connections it authenticates the
    /// connection's id, which never has this form, because it contains no slash.
    /// </summary>
    public const string Prefix = "data-protection/";

    /// <summary>The name that ASP.NET Core gives the key.</summary>
    public required string Id { get; init; }

    /// <summary>The key's XML, encrypted by <see cref="Connections.SecretBox"/>.</summary>
    public required byte[] Sealed { get; init; }
}
