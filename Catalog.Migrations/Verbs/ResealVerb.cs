using System.CommandLine;
using System.Data.Common;
using Catalog.Data;
using Catalog.Data.Connections;
using Catalog.Data.Migrations;
using Catalog.Data.Settings;
using Catalog.Data.SignIn;
using Dapper;

namespace Catalog.Migrations.Verbs;

/// <summary>
/// Encrypts stored secrets with a new key. The service can keep running, because it decrypts with both keys.
/// </summary>
internal static class ResealVerb
{
    private const string ReadConnections = """
        -- Reseal.ReadConnections
        select organization_id, id, secrets from connections where secrets is not null order by organization_id, id
        """;

    // If the service has written the connection meanwhile, its secrets are already encrypted with the new key. So this
    // changes only secrets that are still the same.
    private const string WriteConnection = """
        -- Reseal.WriteConnection
        update connections set secrets = @after where organization_id = @organization and id = @id and secrets = @before
        """;

    private const string ReadSessionKeys = """
        -- Reseal.ReadSessionKeys
        select organization_id, id, sealed from data_protection_keys order by organization_id, id
        """;

    private const string WriteSessionKey = """
        -- Reseal.WriteSessionKey
        update data_protection_keys set sealed = @after where organization_id = @organization and id = @id and sealed = @before
        """;

    public static Command Command() => Verb.On("reseal",
        "Encrypt the secrets of connections and the keys of sessions again: decrypt them with DATAXPIPE_SECRET_KEY_PREVIOUS and "
            + "encrypt them with DATAXPIPE_SECRET_KEY. Safe to run repeatedly and while the service runs. Exits 4 when neither key "
            + "decrypts the secrets "
            + "of a connection.",
        "reseal\nreseal --json",
        async (database, arguments, output, ct) =>
        {
            var box = new SecretBox(
                Required(arguments, "DATAXPIPE_SECRET_KEY"), Required(arguments, "DATAXPIPE_SECRET_KEY_PREVIOUS"));
            await RequireHead(database, arguments, ct);
            await using var connection = await database.Source.OpenConnectionAsync(ct);
            var connections = await Reseal(connection, box, ReadConnections, WriteConnection, "", ct);
            var sessions = await Reseal(connection, box, ReadSessionKeys, WriteSessionKey, DataProtectionKey.Prefix, ct);
            Print(output, "connections with secrets", connections);
            Print(output, "keys of sessions", sessions);
            output.Document(new { connections, sessions });
            // A session key that cannot be decrypted only means that its sessions have ended, so it is not an error.
            if (connections.Unreadable == 0)
            {
                return ExitCode.Ok;
            }

            output.Progress("Neither key decrypts the secrets of some connections, which stay as they are. Find the key that encrypted "
                + "them, or write these connections again.");
            return ExitCode.Drift;
        });

    // This uses a connection for reads, so that a missing SQLite file is not created.
    private static async Task RequireHead(MigrationDatabase database, ParseResult arguments, CancellationToken ct)
    {
        await using var connection = await database.Reads.OpenConnectionAsync(ct);
        var status = await SchemaStatus.Read(connection, database.Dialect, Verb.Chain(arguments, database.Dialect.Folder), ct);
        if (status.Pending.Count > 0)
        {
            throw new MigrationException(
                MigrationFault.RevisionsDiffer,
                $"The database is at {status.Current}, and {Quantity.Of(status.Pending.Count, "script is", "scripts are")} pending: run "
                    + "`catalog-migrations upgrade` first. Nothing was changed.");
        }
    }

    private static byte[] Required(ParseResult arguments, string name) => SecretKey.FromSetting(Verb.Settings(arguments), name)
        ?? throw new SettingException($"{name} is not set. Set both keys: DATAXPIPE_SECRET_KEY is the new one.");

    private static async Task<Resealed> Reseal(
        DbConnection connection, SecretBox box, string read, string write, string prefix, CancellationToken ct)
    {
        var rows = await connection.QueryAsync<(string Organization, string Id, byte[] Sealed)>(
            new CommandDefinition(read, cancellationToken: ct));
        var (changed, unchanged, unreadable) = (0, 0, 0);
        foreach (var (organization, id, before) in rows)
        {
            var after = box.Reseal(organization, prefix + id, before);
            unreadable += after is null ? 1 : 0;
            unchanged += after == before ? 1 : 0;
            if (after is not null && after != before)
            {
                changed += await connection.ExecuteAsync(
                    new CommandDefinition(write, new { organization, id, before, after }, cancellationToken: ct));
            }
        }

        return new(changed, unchanged, unreadable);
    }

    private static void Print(Output output, string what, Resealed counts) =>
        output.Line($"{what}: {counts.Changed} encrypted again, {counts.Unchanged} had the new key, {counts.Unreadable} unreadable");

    private sealed record Resealed(int Changed, int Unchanged, int Unreadable);
}
