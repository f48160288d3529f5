using Catalog.Data;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Grants;

/// <summary>Creates the role that the service's statements run as, grants it what they need, and lets the service's login assume it.</summary>
public static class PostgresRoleGrant
{
    /// <summary>Does all of it, as far as this connection's role may.</summary>
    /// <param name="database">As the tables' owner.</param>
    /// <param name="role">The service's role.</param>
    /// <param name="login">Who may assume it; null: this connection's own login.</param>
    /// <param name="ct">Stops; nothing is changed then.</param>
    /// <exception cref="MigrationException">The role is above row-level security, the login does not exist, or the tables are not this role's to grant.</exception>
    public static async Task<Granted> Run(MigrationDatabase database, string role, string? login, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        // As for every migration: a pooler in transaction mode would keep the lock and hand it to others.
        await database.Dialect.BeginSession(connection, stop => database.Source.OpenConnectionAsync(stop), new(), ct);
        // Two that grant at once, such as an upgrade beside this, would meet in one row of the server's catalog.
        await using var held = await database.Dialect.Lock(connection, TimeSpan.FromSeconds(10), _ => { }, ct)
            ?? throw new MigrationException(MigrationFault.LockNotObtained, $"Another migrator is at work: {await database.Dialect.Holder(connection, ct) ?? "it has just ended"}. Run this again when it is done.");
        login ??= await connection.ExecuteScalarAsync<string>(new CommandDefinition("select session_user::text", cancellationToken: ct));
        var before = await PostgresRole.Find(connection, role, login, ct);
        Refuse(before, role, login!);

        string? needed = null;
        await using var transaction = (NpgsqlTransaction)await connection.BeginTransactionAsync(ct);
        async Task Try(string sql)
        {
            await transaction.SaveAsync("step", ct);
            try
            {
                await database.Dialect.Execute(connection, transaction, sql, ct);
            }
            catch (PostgresException exception) when (exception.SqlState == "42501")
            {
                await transaction.RollbackAsync("step", ct);
                needed += $"{sql};\n";
            }
        }

        await connection.ExecuteAsync(new CommandDefinition("select set_config('lock_timeout', '5s', true)", transaction: transaction, cancellationToken: ct));
        if (!before.Exists)
        {
            await Try(PostgresGrants.CreateRole(role));
        }

        var joins = login != role && !before.CanBeAssumed;
        if (joins && needed is null)
        {
            await Try(PostgresGrants.GrantMembership(role, login!));
        }
        else if (joins)
        {
            needed += $"{PostgresGrants.GrantMembership(role, login!)};\n";
        }

        await database.Dialect.Execute(connection, transaction, PostgresGrants.GrantPrivileges(role), ct);
        var after = await PostgresRole.Find(connection, role, login, ct);
        await transaction.CommitAsync(ct);
        return new(login!, !before.Exists && after.Exists, after.CanBeAssumed && !before.CanBeAssumed, after.Exists ? after.Tables - after.MissingRights.Length : 0, needed);
    }

    private static void Refuse(PostgresRole found, string role, string login)
    {
        if (found is { Exists: true, ExemptReason: { } above })
        {
            throw new MigrationException(MigrationFault.WrongTarget, $"The role {role} {above}, so row-level security would not bind it; nothing was changed. {found.FixFor(role)}");
        }

        if (!found.LoginExists && login != role)
        {
            throw new MigrationException(MigrationFault.UnknownTarget, $"The server has no login {login}: name the service's with --member, or make it first; nothing was changed.");
        }

        if (found.ForeignTables is { Length: > 0 } foreign)
        {
            throw new MigrationException(MigrationFault.WrongTarget,
                $"{Quantity.Of(foreign.Length, "table belongs", "tables belong")} to another role, who alone can grant on them: {Quantity.Few(foreign)}. Set DATAXPIPE_MIGRATIONS_DB to an address of the tables' owner; nothing was changed.");
        }
    }
}

/// <summary>What a grant did.</summary>
/// <param name="Login">Who may assume the role.</param>
/// <param name="Created">Whether the role was made.</param>
/// <param name="Joined">Whether the login was made its member.</param>
/// <param name="Tables">On how many tables the role has what the service needs.</param>
/// <param name="Needed">The SQL that this role may not run and an administrator has to; null when all is done.</param>
public sealed record Granted(string Login, bool Created, bool Joined, int Tables, string? Needed);
