using Dapper;
using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>
/// Finds out whether row-level security binds the service's statements, by trying, and says what has to go before them. Once it was seen to
/// hold, that goes before them for good: a role that is taken away later makes statements fail, not run without it.
/// </summary>
/// <param name="pool">The pool of the requests.</param>
/// <param name="role">The role that statements are to run as.</param>
/// <param name="required">Whether nothing may run where it does not hold.</param>
internal sealed class PostgresRowSecurity(PostgresPool pool, string role, bool required)
{
    /// <summary>The tables that are declared otherwise than the scripts did: no row security, or other policies. Waits for no lock on them.</summary>
    internal const string Undeclared = $"""
        -- PostgresRowSecurity.Undeclared
        select ours.name
        from ({PostgresGrants.Tables}) ours
        join pg_class c on c.oid = ours.oid
        where not c.relrowsecurity
           or not exists (
               select from pg_policy p
               where p.polrelid = c.oid and p.polname = 'organization' and p.polpermissive and p.polcmd = '*' and p.polroles = array[0::oid] and p.polwithcheck is null)
           or exists (
               select from pg_policy p
               where p.polrelid = c.oid and p.polpermissive and p.polname <> 'organization'
                 and (ours.name, p.polname) not in (('api_keys', 'presented'), ('organizations', 'notified')))
        """;

    // To read what a policy says the server takes a lock on its table.
    private const string Unbound = $"""
        {Undeclared}
        union
        select ours.name
        from ({PostgresGrants.Tables}) ours
        join pg_policy p on p.polrelid = ours.oid and p.polname = 'organization'
        where pg_get_expr(p.polqual, p.polrelid) <> '(organization_id = NULLIF(current_setting(''app.organization_id''::text, true), ''''::text))'
        """;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);
    private readonly Lock _turn = new();
    private volatile Found? _found;
    private Task<Found>? _looking;

    /// <summary>What goes before statements in an organization's context; null: nothing.</summary>
    public async ValueTask<string?> ForOrganization(CancellationToken ct) => (await Known(ct)).Organization;

    /// <summary>What goes before a look-up; null: nothing.</summary>
    public async ValueTask<string?> For(LookUp by, CancellationToken ct)
    {
        var found = await Known(ct);
        return by == LookUp.ApiKey ? found.ApiKey : found.StripeCustomer;
    }

    /// <summary>Looks again, at most every five seconds.</summary>
    public async Task<Isolation> Look(CancellationToken ct) => (await Find(ct)).Isolation;

    private ValueTask<Found> Known(CancellationToken ct) => _found is { Isolation.Held: true } held && held.BehindPooler == pool.IsBehindPooler
        ? ValueTask.FromResult(held)
        : new(Allowed(ct));

    private async Task<Found> Allowed(CancellationToken ct)
    {
        var found = await Find(ct);
        return found.Isolation.Held || !required
            ? found
            : throw new DatabaseUnavailableException(Unavailability.NotIsolated, new InvalidOperationException(found.Isolation.Words));
    }

    private async Task<Found> Find(CancellationToken ct)
    {
        Task<Found> looking;
        lock (_turn)
        {
            if (_found is { } last && last.BehindPooler == pool.IsBehindPooler && TimeProvider.System.GetElapsedTime(last.At) < LookAgain)
            {
                return last;
            }

            // One looks for all who wait, so nobody's cancellation may end it.
            looking = _looking is { IsCompleted: false } ? _looking : _looking = Try(CancellationToken.None);
        }

        var found = await looking.WaitAsync(ct);
        if (found.Isolation.Held && _found is { Isolation.Held: false })
        {
            // What connections prepared while it did not hold keeps a plan without it: the server plans anew when policies change, not when a
            // role is bound again.
            pool.Clear();
        }

        return _found = found.Isolation.Held || _found is not { Bound: true } before
            ? found
            : before with { Isolation = found.Isolation with { Refusing = true }, At = found.At };
    }

    private async Task<Found> Try(CancellationToken ct)
    {
        await using var connection = (NpgsqlConnection)await pool.OpenConnectionAsync(ct);
        // Before the script that brings it there is nothing to judge, and nothing that this build could serve.
        if (await Ask<string>(connection, "select to_regclass('organizations')::text", null, ct) is [null])
        {
            throw new DatabaseUnavailableException(Unavailability.SchemaBehind, new InvalidOperationException("There is no table organizations."));
        }

        var unbound = await Ask<string>(connection, Unbound, null, ct);
        if (unbound.Count > 0)
        {
            return Open($"row security is off or has another policy than the scripts made on {Quantity.Few(unbound!)}: `catalog-migrations verify` says what differs.");
        }

        // A login that may do no more than the role need not become it, which the server would pay for with each statement.
        if (await IsBound(connection, null, ct))
        {
            return Holding("row-level security binds the service's login", "");
        }

        if (await IsBound(connection, role, ct))
        {
            return Holding($"statements run as {role}, which row-level security binds", $"set_config('role', '{role}', true), ");
        }

        var login = await connection.ExecuteScalarAsync<string>(new CommandDefinition("select session_user::text", cancellationToken: ct));
        var described = await PostgresRole.Find(connection, role, login, ct);
        return Open(described switch
        {
            { Exists: false } => $"there is no role {role}: run `catalog-migrations grant`.",
            { Above: { } above } => $"the role {role} {above}. {described.Mend(role)}",
            { Assumable: false } => $"the login {login} may not assume the role {role}: run `catalog-migrations grant --member {login}`.",
            _ => $"the role {role} may not use the tables: run `catalog-migrations grant`.",
        });
    }

    // What counts is that it binds whoever runs the statements, not that it was declared; and that they cannot rewrite what was done.
    private async Task<bool> IsBound(NpgsqlConnection connection, string? role, CancellationToken ct)
    {
        const string Sql = $"""
            -- PostgresRowSecurity.IsBound
            select coalesce(bool_and(row_security_active(ours.oid) and has_table_privilege(ours.oid, 'select')
                and (ours.name <> 'audit_log' or not has_table_privilege(ours.oid, 'update, delete, truncate'))), false)
            from ({PostgresGrants.Tables}) ours
            """;

        try
        {
            return (await Ask<bool>(connection, Sql, role, ct)).Single();
        }
        catch (PostgresException exception) when (exception.SqlState is "22023" or "42501" or "42704")
        {
            return false;
        }
    }

    // In a transaction with settings of its own: behind a pooler the session's are another client's.
    private async Task<List<T?>> Ask<T>(NpgsqlConnection connection, string sql, string? role, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var session = $"select {pool.ForTransaction}set_config('role', coalesce(@role, current_setting('role')), true), set_config('quote_all_identifiers', 'off', true)";
        await connection.ExecuteAsync(new CommandDefinition(session, new { role }, transaction, cancellationToken: ct));
        return (await connection.QueryAsync<T?>(new CommandDefinition(sql, transaction: transaction, cancellationToken: ct))).AsList();
    }

    private Found Holding(string words, string role)
    {
        string Before(string setting) => $"select {pool.ForTransaction}{role}set_config('app.{setting}', @{Context.Parameter}, true);\n";
        return new(new(true, words, false), Before("organization_id"), Before("api_key_id"), Before("stripe_customer_id"), true, pool.IsBehindPooler, TimeProvider.System.GetTimestamp());
    }

    private Found Open(string words)
    {
        var session = pool.ForTransaction;
        var before = session.Length == 0 ? null : $"select {session}set_config('app.organization_id', @{Context.Parameter}, true);\n";
        return new(new(false, words, required), before, before, before, false, pool.IsBehindPooler, TimeProvider.System.GetTimestamp());
    }

    private sealed record Found(Isolation Isolation, string? Organization, string? ApiKey, string? StripeCustomer, bool Bound, bool BehindPooler, long At);
}
