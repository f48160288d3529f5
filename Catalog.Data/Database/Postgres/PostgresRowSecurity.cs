using Dapper;
using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>
/// Tests whether row-level security applies to the service's statements, and builds the SQL that sets their role and
/// context. Once row-level security was in effect, this SQL is always used: if the role is dropped later, statements
/// fail instead of running without row-level security.
/// </summary>
/// <param name="pool">The pool of request connections.</param>
/// <param name="role">The role for the service's statements.</param>
/// <param name="required">Whether statements fail unless row-level security is in effect.</param>
internal sealed class PostgresRowSecurity(PostgresPool pool, string role, bool required)
{
    /// <summary>
    /// The tables that have no row security, or other policies than in the migration scripts. The query needs no lock
    /// on the tables.
    /// </summary>
    internal const string Undeclared = $"""
        -- PostgresRowSecurity.Undeclared
        select ours.name
        from ({PostgresGrants.TablesQuery}) ours
        join pg_class c on c.oid = ours.oid
        where not c.relrowsecurity
           or not exists (
               select from pg_policy p
               where p.polrelid = c.oid and p.polname = 'organization' and p.polpermissive and p.polcmd = '*' and p.polroles = array[0::oid]
                   and p.polwithcheck is null)
           or exists (
               select from pg_policy p
               where p.polrelid = c.oid and p.polpermissive and p.polname <> 'organization'
                 and (ours.name, p.polname) not in (('api_keys', 'presented'), ('organizations', 'notified'), ('executions', 'due'),
                     ('check_schedules', 'due')))
        """;

    // Also finds tables whose policy has another condition. For this, the query locks the tables.
    private const string Unbound = $"""
        {Undeclared}
        union
        select ours.name
        from ({PostgresGrants.TablesQuery}) ours
        join pg_policy p on p.polrelid = ours.oid and p.polname = 'organization'
        where pg_get_expr(p.polqual, p.polrelid) <> '(organization_id = NULLIF(current_setting(''app.organization_id''::text, true), ''''::text))'
        """;

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(5);
    private readonly Lock _lock = new();
    private volatile State? _state;
    private Task<State>? _runningCheck;

    /// <summary>The SQL that sets an organization's context before its statements; null when none is needed.</summary>
    public async ValueTask<ContextSql?> ForOrganization(CancellationToken ct) => (await CurrentState(ct)).Organization;

    /// <summary>The SQL that sets the context of a lookup; null when none is needed.</summary>
    public async ValueTask<ContextSql?> For(LookUp by, CancellationToken ct)
    {
        var found = await CurrentState(ct);
        return by switch
        {
            LookUp.ApiKey => found.ApiKey,
            LookUp.StripeCustomer => found.StripeCustomer,
            _ => found.DueWork,
        };
    }

    /// <summary>Whether statements run in transaction blocks with settings that Citus forwards.</summary>
    public bool UsesBlocks => _state is { Organization.IsBlock: true };

    /// <summary>Checks again whether isolation is enforced, at most every five seconds.</summary>
    public async Task<RowSecurityStatus> Check(CancellationToken ct) => (await Refresh(ct)).Isolation;

    private ValueTask<State> CurrentState(CancellationToken ct) => _state is { Isolation.IsEnforced: true } state
        && state.BehindPooler == pool.IsBehindPooler
        ? ValueTask.FromResult(state)
        : new(RequireEnforced(ct));

    private async Task<State> RequireEnforced(CancellationToken ct)
    {
        var found = await Refresh(ct);
        return found.Isolation.IsEnforced || !required
            ? found
            : throw new DatabaseUnavailableException(
                Unavailability.NotIsolated, new InvalidOperationException(found.Isolation.Description));
    }

    private async Task<State> Refresh(CancellationToken ct)
    {
        Task<State> check;
        lock (_lock)
        {
            if (_state is { } last && last.BehindPooler == pool.IsBehindPooler
                && TimeProvider.System.GetElapsedTime(last.At) < CheckInterval)
            {
                return last;
            }

            // All callers share one check, so the token of one caller must not cancel it.
            check = _runningCheck is { IsCompleted: false } ? _runningCheck : _runningCheck = Detect(CancellationToken.None);
        }

        var found = await check.WaitAsync(ct);
        if (found.Isolation.IsEnforced && _state is { Isolation.IsEnforced: false })
        {
            // Statements prepared before row-level security was in effect keep their old plans: the server replans when
            // policies change, but not when row-level security starts to apply to a role. So the connections are
            // closed.
            pool.Clear();
        }

        return _state = found.Isolation.IsEnforced || _state is not { WasEnforced: true } before
            ? found
            : before with { Isolation = found.Isolation with { BlocksStatements = true }, At = found.At };
    }

    private async Task<State> Detect(CancellationToken ct)
    {
        await using var connection = (NpgsqlConnection)await pool.OpenConnectionAsync(ct);
        // Without the tables there is nothing to check, and this build cannot serve requests.
        if (await Query<string>(connection, "select to_regclass('organizations')::text", null, ct) is [null])
        {
            throw new DatabaseUnavailableException(
                Unavailability.SchemaBehind, new InvalidOperationException("The table organizations does not exist."));
        }

        var unbound = await Query<string>(connection, Unbound, null, ct);
        if (unbound.Count > 0)
        {
            return NotEnforced(
                $"row security is off or has other policies than in the scripts on {Quantity.Few(unbound!)}: run `catalog-migrations "
                    + "verify` to see the differences.");
        }

        // If row-level security already applies to the login, no role switch is needed. A role switch would take time
        // in each statement.
        if (await IsBound(connection, null, ct))
        {
            return Enforced("row-level security applies to the service's login", null, await IsCitus(connection, ct));
        }

        if (await IsBound(connection, role, ct))
        {
            return Enforced($"statements run as {role}, and row-level security applies to it", role, await IsCitus(connection, ct));
        }

        var login = await connection.ExecuteScalarAsync<string>(new CommandDefinition("select session_user::text", cancellationToken: ct));
        var described = await PostgresRole.Find(connection, role, login, ct);
        return NotEnforced(described switch
        {
            { Exists: false } => $"the role {role} does not exist: run `catalog-migrations grant`.",
            { ExemptReason: { } reason } => $"the role {role} {reason}. {described.FixFor(role)}",
            { CanBeAssumed: false } => $"the login {login} cannot assume the role {role}: run `catalog-migrations grant --member {login}`.",
            _ => $"the role {role} has no rights on the tables: run `catalog-migrations grant`.",
        });
    }

    // Tests whether row-level security is active for the current role, not only whether the tables declare it. Also
    // tests that the role cannot change the audit log.
    private async Task<bool> IsBound(NpgsqlConnection connection, string? role, CancellationToken ct)
    {
        const string Sql = $"""
            -- PostgresRowSecurity.IsBound
            select coalesce(bool_and(row_security_active(ours.oid) and has_table_privilege(ours.oid, 'select')
                and (ours.name <> 'audit_log' or not has_table_privilege(ours.oid, 'update, delete, truncate'))), false)
            from ({PostgresGrants.TablesQuery}) ours
            """;

        try
        {
            return (await Query<bool>(connection, Sql, role, ct)).Single();
        }
        catch (PostgresException exception) when (exception.SqlState is "22023" or "42501" or "42704")
        {
            return false;
        }
    }

    // The settings apply only to the transaction, because behind a pooler other clients use the same session.
    private async Task<List<T?>> Query<T>(NpgsqlConnection connection, string sql, string? role, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var session =
            $"select {pool.ForTransaction}set_config('role', coalesce(@role, current_setting('role')), true), "
                + "set_config('quote_all_identifiers', 'off', true)";
        await connection.ExecuteAsync(new CommandDefinition(session, new { role }, transaction, cancellationToken: ct));
        return (await connection.QueryAsync<T?>(new CommandDefinition(sql, transaction: transaction, cancellationToken: ct))).AsList();
    }

    private static Task<bool> IsCitus(NpgsqlConnection connection, CancellationToken ct) => connection.ExecuteScalarAsync<bool>(
        new CommandDefinition(PostgresCitus.IsInstalled, cancellationToken: ct));

    private State Enforced(string description, string? assumed, bool onCitus)
    {
        var session = pool.ForTransaction;
        var roleSql = assumed is null ? "" : $"set_config('role', '{assumed}', true), ";
        ContextSql Before(string setting) => onCitus
            ? PostgresCitus.Context(session, assumed, $"app.{setting}")
            : ContextSql.WithParameter($"select {session}{roleSql}set_config('app.{setting}', @{RowSecurityContext.Parameter}, true)");
        return new(new(true, description, false), Before("organization_id"), Before("api_key_id"), Before("stripe_customer_id"),
            Before("due_ms"), true, pool.IsBehindPooler, TimeProvider.System.GetTimestamp());
    }

    private State NotEnforced(string description)
    {
        var session = pool.ForTransaction;
        var before = session.Length == 0
            ? null : ContextSql.WithParameter($"select {session}set_config('app.organization_id', @{RowSecurityContext.Parameter}, true)");
        return new(new(false, description, required), before, before, before, before, false, pool.IsBehindPooler,
            TimeProvider.System.GetTimestamp());
    }

    private sealed record State(RowSecurityStatus Isolation, ContextSql? Organization, ContextSql? ApiKey, ContextSql? StripeCustomer,
        ContextSql? DueWork, bool WasEnforced, bool BehindPooler, long At);
}
