using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>
/// The settings of every Catalog session. Without them a session inherits the settings that an administrator made for
/// the role, the database or the server, and many of them change the meaning of statements or the content of dumps.
/// </summary>
/// <param name="schema">The schema of the Catalog's tables.</param>
internal sealed class PostgresSession(string schema)
{
    private const string SynchronousCommit = "current_setting('synchronous_commit')";

    /// <summary>The schema of the Catalog's tables.</summary>
    public string Schema => schema;

    /// <summary>The search path: this schema alone, so that every unqualified name refers to the Catalog.</summary>
    public string SearchPath { get; } = $"\"{schema}\"";

    /// <summary>
    /// The settings and their values, for the service, the migrator and the Postgres programs. Read-only mode is not
    /// changed, because a provider that sets it does so on purpose.
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
        // Postgres has this setting since version 17.
        ("transaction_timeout", "0"),
    ];

    /// <summary>
    /// Applies the settings to a session. Does nothing when the server process differs from the one that the connection
    /// reports: then a pooler is in between, and its next client would inherit the settings.
    /// </summary>
    /// <param name="connection">A connection that was just opened or reset.</param>
    /// <param name="statementTimeout">Server-side limit of a statement, in Postgres syntax; 0 for none.</param>
    /// <param name="throughPooler">Whether to apply the settings behind a pooler too.</param>
    /// <returns>False when nothing was set.</returns>
    public async Task<bool> ApplySettings(NpgsqlConnection connection, string statementTimeout, bool throughPooler = false)
    {
        // Skips settings that this server does not have. synchronous_commit=off is overridden: acknowledged rows must
        // be on disk.
        const string Sql = """
            -- PostgresSession.ApplySettings
            select count(set_config(wanted.name, wanted.value, false)) > 0
            from (select unnest(@names) as name, unnest(@values) as value) as wanted
            where (@throughPooler or pg_backend_pid() = @process) and current_setting(wanted.name, true) is not null
              and (wanted.name <> 'synchronous_commit' or current_setting('synchronous_commit') = 'off')
            """;

        await using var command = new NpgsqlCommand(Sql, connection);
        (string Name, string Value)[] settings = [.. Settings, ("statement_timeout", statementTimeout), ("synchronous_commit", "on")];
        command.Parameters.AddWithValue("names", settings.Select(setting => setting.Name).ToArray());
        command.Parameters.AddWithValue("values", settings.Select(setting => setting.Value).ToArray());
        // A pooler reports a process number of its own to its clients.
        command.Parameters.AddWithValue("process", connection.ProcessID);
        command.Parameters.AddWithValue("throughPooler", throughPooler);
        return await command.ExecuteScalarAsync() is true;
    }

    /// <summary>
    /// The settings as start-up options (PGOPTIONS) for pg_dump and psql, which cannot run a statement first. There is
    /// no limit for idle transactions, because the program at the other end of a pipe can be slow.
    /// </summary>
    /// <param name="server">The server's major version; an unknown option would end the session.</param>
    public string Options(int server) => string.Join(' ', Settings
        .Where(setting => setting.Name != "transaction_timeout" || server >= 17)
        .Select(setting => setting.Name == "idle_in_transaction_session_timeout" ? (setting.Name, Value: "0") : setting)
        .Append(("statement_timeout", "0"))
        .Select(setting =>
            $"-c {setting.Item1}={setting.Item2.Replace("\\", @"\\", StringComparison.Ordinal).Replace(" ", @"\ ", StringComparison.Ordinal)}"));

    /// <summary>Applies the settings to every connection of a data source.</summary>
    public void Configure(NpgsqlDataSourceBuilder builder, string statementTimeout) => builder.UsePhysicalConnectionInitializer(
        connection => ApplySettings(connection, statementTimeout).GetAwaiter().GetResult(),
        connection => ApplySettings(connection, statementTimeout));

    /// <summary>
    /// The settings for one transaction, as expressions at the start of a select list. They are needed behind a pooler
    /// in transaction mode, where another client can use the session between two transactions.
    /// </summary>
    public string ForTransaction { get; } =
        $"set_config('search_path', '\"{schema}\"', true), set_config('row_security', 'on', true), "
        + $"set_config('synchronous_commit', case {SynchronousCommit} when 'off' then 'on' else {SynchronousCommit} end, true), ";
}
