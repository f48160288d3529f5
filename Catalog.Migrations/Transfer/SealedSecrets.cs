using System.Data.Common;
using Catalog.Data.Connections;
using Dapper;

namespace Catalog.Migrations.Transfer;

/// <summary>
/// The number of encrypted secrets of connections, and where their key is. Secrets are copied in encrypted form.
/// </summary>
/// <param name="Connections">Number of connections with secrets.</param>
/// <param name="Opened">Number of these connections whose secrets the found key decrypts.</param>
/// <param name="KeyFile">The file of the key; null if the key came from the environment or was not found.</param>
/// <param name="FromEnvironment">True if DATAXPIPE_SECRET_KEY is set.</param>
public sealed record SealedSecrets(long Connections, long Opened, string? KeyFile, bool FromEnvironment)
{
    /// <summary>Counts the secrets in a SQLite file and tries to decrypt them.</summary>
    /// <param name="connection">An open connection to the file.</param>
    /// <param name="path">The path of the file.</param>
    /// <param name="environmentKey">The key from the environment; null to read it from the key file next to the SQLite file.</param>
    /// <param name="ct">Cancels the operation.</param>
    /// <returns>Null if no connection has secrets.</returns>
    internal static async Task<SealedSecrets?> Read(DbConnection connection, string path, byte[]? environmentKey, CancellationToken ct)
    {
        const string Sql = """
            -- SealedSecrets.Read
            select organization_id, id, secrets from connections where secrets is not null
            """;
        var file = SecretKey.FileBeside(path);
        var key = environmentKey ?? (File.Exists(file) ? await SecretKey.Read(file, ct) : null);
        var box = new SecretBox(key);
        var (count, opened) = (0L, 0L);
        foreach (var (organization, id, secrets) in connection.Query<(string, string, byte[])>(Sql, buffered: false))
        {
            count++;
            opened += box.Open(organization, id, secrets) is null ? 0 : 1;
        }

        return count == 0 ? null : new(count, opened, environmentKey is null && key is not null ? file : null, environmentKey is not null);
    }
}
