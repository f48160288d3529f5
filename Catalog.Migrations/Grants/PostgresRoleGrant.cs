using Catalog.Data;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Dapper;
using Npgsql;

namespace Catalog.Migrations.Grants;

/// <summary>
/// Creates the role that the service's statements run as, grants it the required privileges, and makes the service's
/// login a member.
/// </summary>
public static class PostgresRoleGrant
{
    /// <summary>
    /// Runs the statements that the connection's role is permitted to run. Returns the other statements for an
    /// administrator.
    /// </summary>
    /// <param name="database">The database, opened as the tables' owner.</param>
    /// <param name="role">The service's role.</param>
    /// <param name="login">The login that becomes a member; null for the connection's own login.</param>
    /// <param name="ct">Cancels the operation; nothing is changed then.</param>
    /// <exception cref="MigrationException">The role bypasses row-level security, the login does not exist, or another
    /// role owns tables.</exception>
    public static async Task<Granted> Run(MigrationDatabase database, string role, string? login, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        // This rejects a pooler in transaction mode, as every migration does. Behind such a pooler, the lock would stay
        // on a connection that others use.
        await database.Dialect.BeginSession(connection, stop => database.Source.OpenConnectionAsync(stop), new(), ct);
        // Without this lock, concurrent grants, for example by an upgrade, would fail with a conflict in the system
        // catalog.
        await using var held = await database.Dialect.Lock(connection, TimeSpan.FromSeconds(10), _ => { }, ct)
            ?? throw new MigrationException(
                MigrationFault.LockNotObtained,
                $"Another migrator is running: {await database.Dialect.Holder(connection, ct) ?? "it has just ended"}. Run this "
                    + "again when it is done.");
        login ??= await connection.ExecuteScalarAsync<string>(new CommandDefinition("select session_user::text", cancellationToken: ct));
        var before = await PostgresRole.Find(connection, role, login, ct);
        Validate(before, role, login!);

        string? needed = null;
        await using var transaction = (NpgsqlTransaction)await connection.BeginTransactionAsync(ct);
        async Task TryExecute(string sql)
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

        await connection.ExecuteAsync(
            new CommandDefinition("select set_config('lock_timeout', '5s', true)", transaction: transaction, cancellationToken: ct));
        if (!before.Exists)
        {
            await TryExecute(PostgresGrants.CreateRole(role));
        }

        // If this program could not create the role, the administrator must create it and allow it to log in.
        if (!before.CanLogIn && await connection.ExecuteScalarAsync<bool>(
            new CommandDefinition(PostgresCitus.IsInstalled, transaction: transaction, cancellationToken: ct)))
        {
            if (needed is null)
            {
                await TryExecute(PostgresGrants.AllowLogin(role));
            }
            else
            {
                needed += $"{PostgresGrants.AllowLogin(role)};\n";
            }
        }

        var joinsRole = login != role && !before.CanBeAssumed;
        if (joinsRole && (needed is null || before.Exists))
        {
            await TryExecute(PostgresGrants.GrantMembership(role, login!));
        }
        else if (joinsRole)
        {
            needed += $"{PostgresGrants.GrantMembership(role, login!)};\n";
        }

        await database.Dialect.Execute(connection, transaction, PostgresGrants.GrantPrivileges(role), ct);
        var after = await PostgresRole.Find(connection, role, login, ct);
        await transaction.CommitAsync(ct);
        return new(login!, !before.Exists && after.Exists, after.CanBeAssumed && !before.CanBeAssumed, after.Exists
            ? after.Tables - after.MissingRights.Length : 0, needed);
    }

    private static void Validate(PostgresRole found, string role, string login)
    {
        if (found is { Exists: true, ExemptReason: { } above })
        {
            throw new MigrationException(MigrationFault.WrongTarget,
                $"The role {role} {above}, so row-level security would not apply to it. Nothing was changed. {found.FixFor(role)}");
        }

        if (!found.LoginExists && login != role)
        {
            throw new MigrationException(
                MigrationFault.UnknownTarget,
                $"The login {login} does not exist on the server: set --member to the service's login, or create it first. "
                    + "Nothing was changed.");
        }

        if (found.TablesOfOtherRoles is { Length: > 0 } others)
        {
            throw new MigrationException(MigrationFault.WrongTarget,
                $"{Quantity.Of(others.Length, "table belongs", "tables belong")} to another role, and only the owner can grant "
                    + $"privileges on them: {Quantity.Few(others)}. Set DATAXPIPE_MIGRATIONS_DB to an address with the tables' "
                    + "owner as user. Nothing was changed.");
        }
    }
}

/// <summary>The result of a grant.</summary>
/// <param name="Login">The login that is or becomes a member of the role.</param>
/// <param name="Created">True if the role was created.</param>
/// <param name="Joined">True if the login was made a member.</param>
/// <param name="Tables">Number of tables on which the role has all required privileges.</param>
/// <param name="Needed">The SQL that an administrator must run; null if everything is done.</param>
public sealed record Granted(string Login, bool Created, bool Joined, int Tables, string? Needed);
