using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>
/// What every session of the Catalog is set to. A session inherits what an administrator set on the role, the database or the
/// server, and much of that changes what a statement means or what a dump says.
/// </summary>
/// <param name="schema">The schema that holds the Catalog's tables.</param>
internal sealed class PostgresSession(string schema)
{
    private const string SynchronousCommit = "current_setting('synchronous_commit')";

    /// <summary>The schema that holds the Catalog's tables.</summary>
    public string Schema => schema;

    /// <summary>The search path: that schema alone, so that every unqualified name means the Catalog's.</summary>
    public string SearchPath { get; } = $"\"{schema}\"";

    /// <summary>
    /// The settings and their values, for service, migrator and the Postgres programs alike. Read-only mode is not among them:
    /// a provider that sets it means it.
    /// </summary>
    public IReadOnlyList<(string Name, string Value)> Settings { get; } =
    [
        ("search_path", $"\"{schema}\""),
        ("row_security", "on"),
        ("timezone", "UTC"),
        ("datestyle", "ISO, MDY"),
        ("intervalstyle", "postgres"),
        ("bytea_output", "hex"),
        ("extra_float_digits", "1"),
        ("quote_all_identifiers", "off"),
        ("standard_conforming_strings", "on"),
        ("transform_null_equals", "off"),
        ("array_nulls", "on"),
        ("xmloption", "content"),
        ("client_min_messages", "warning"),
        ("check_function_bodies", "on"),
        ("default_tablespace", ""),
        ("default_table_access_method", "heap"),
        ("default_transaction_isolation", "read committed"),
        ("default_transaction_deferrable", "off"),
        ("idle_session_timeout", "0"),
        ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "60s"),
        // Of Postgres 17; unknown before.
        ("transaction_timeout", "0"),
    ];

    /// <summary>
    /// Sets a session for good. Sets nothing where another server process answers than the one that the connection was told of:
    /// a pooler stands between, and its next client would inherit the settings.
    /// </summary>
    /// <param name="connection">Was opened just now, or was reset.</param>
    /// <param name="statementTimeout">Ends a statement that its client has given up; 0: never.</param>
    /// <param name="throughPooler">Sets the session also behind a pooler.</param>
    /// <returns>False when nothing was set.</returns>
    public async Task<bool> Begin(NpgsqlConnection connection, string statementTimeout, bool throughPooler = false)
    {
        // A setting that this server does not have is left out. An acknowledged row is on disk, whatever the role's default.
        const string Sql = """
            -- PostgresSession.Begin
            select count(set_config(wanted.name, wanted.value, false)) > 0
            from (select unnest(@names) as name, unnest(@values) as value) as wanted
            where (@throughPooler or pg_backend_pid() = @process) and current_setting(wanted.name, true) is not null
              and (wanted.name <> 'synchronous_commit' or current_setting('synchronous_commit') = 'off')
            """;

        await using var command = new NpgsqlCommand(Sql, connection);
        (string Name, string Value)[] settings = [.. Settings, ("statement_timeout", statementTimeout), ("synchronous_commit", "on")];
        command.Parameters.AddWithValue("names", settings.Select(setting => setting.Name).ToArray());
        command.Parameters.AddWithValue("values", settings.Select(setting => setting.Value).ToArray());
        // A pooler gives its clients a process number of its own.
        command.Parameters.AddWithValue("process", connection.ProcessID);
        command.Parameters.AddWithValue("throughPooler", throughPooler);
        return await command.ExecuteScalarAsync() is true;
    }

    /// <summary>
    /// The same as start-up options of pg_dump and psql (PGOPTIONS), which have no statement of their own before their work. Their
    /// transactions may be idle for long: the other end of a pipe is another program.
    /// </summary>
    /// <param name="server">The server's major version: an option that it does not know ends the session.</param>
    public string Options(int server) => string.Join(' ', Settings
        .Where(setting => setting.Name != "transaction_timeout" || server >= 17)
        .Select(setting => setting.Name == "idle_in_transaction_session_timeout" ? (setting.Name, Value: "0") : setting)
        .Append(("statement_timeout", "0"))
        .Select(setting => $"-c {setting.Item1}={setting.Item2.Replace("\\", @"\\", StringComparison.Ordinal).Replace(" ", @"\ ", StringComparison.Ordinal)}"));

    /// <summary>Has every connection of a data source begin so.</summary>
    public void Apply(NpgsqlDataSourceBuilder builder, string statementTimeout) => builder.UsePhysicalConnectionInitializer(
        connection => Begin(connection, statementTimeout).GetAwaiter().GetResult(),
        connection => Begin(connection, statementTimeout));

    /// <summary>
    /// The same for one transaction, as expressions before others of a select list: what statements need behind a pooler, where the
    /// session belongs to another client between two transactions.
    /// </summary>
    public string ForTransaction { get; } =
        $"set_config('search_path', '\"{schema}\"', true), set_config('row_security', 'on', true), "
        + $"set_config('synchronous_commit', case {SynchronousCommit} when 'off' then 'on' else {SynchronousCommit} end, true), ";
}
