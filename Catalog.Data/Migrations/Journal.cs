using System.Data;
using System.Data.Common;
using System.Reflection;
using Dapper;

namespace Catalog.Data.Migrations;

/// <summary>One row of the journal: an applied script.</summary>
public sealed record AppliedScript
{
    public required string ScriptName { get; init; }

    /// <summary>The time in UTC.</summary>
    public required DateTimeOffset Applied { get; init; }

    /// <summary>The checksum of the script's text; null when DbUp applied it.</summary>
    public string? Checksum { get; init; }

    public double? DurationSeconds { get; init; }

    /// <summary>The operating-system user.</summary>
    public string? AppliedBy { get; init; }

    public string? ToolVersion { get; init; }
}

/// <summary>One row of the history: an attempt to change the schema.</summary>
public sealed record Attempt
{
    public required string ScriptName { get; init; }

    /// <summary><c>upgrade</c>, <c>downgrade</c>, <c>stamp</c> or <c>reset</c>.</summary>
    public required string Direction { get; init; }

    /// <summary><c>started</c>, <c>finished</c>, <c>failed</c>, or <c>refused</c> (rejected before it changed anything).</summary>
    public required string Outcome { get; init; }

    /// <summary>The time in UTC.</summary>
    public required DateTimeOffset At { get; init; }

    public double? DurationSeconds { get; init; }

    public string? AppliedBy { get; init; }

    /// <summary>The name of the machine.</summary>
    public string? Host { get; init; }

    public string? ToolVersion { get; init; }

    /// <summary>The error; null when the attempt did not fail.</summary>
    public string? Message { get; init; }
}

/// <summary>
/// The table <c>schemaversions</c> with the applied scripts, and the table <c>schema_history</c> with all attempts. The
/// first table has DbUp's format, so that DbUp finds nothing to do when it runs the same folder on the database. Its
/// column <c>applied</c> contains UTC without a time zone.
/// </summary>
public static class Journal
{
    internal static string ToolVersion { get; } = typeof(Journal).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>(
        )?.InformationalVersion ?? "";

    /// <summary>The applied scripts in the order in which they were recorded; empty when the journal does not exist.</summary>
    public static async Task<List<AppliedScript>> Read(DbConnection connection, DbTransaction? transaction, SchemaDialect dialect,
        CancellationToken ct)
    {
        // The query uses "select *", because a journal that DbUp created lacks our columns.
        var sql = $"""
            -- Journal.Read
            select * from schemaversions order by {dialect.JournalOrder}
            """;

        if (!await Exists(connection, transaction, dialect.FindJournal, ct))
        {
            return [];
        }

        try
        {
            // In DbUp's table, scriptname can be null. Such a row gets a name that matches no known script.
            return [.. (
                await connection.QueryAsync<AppliedScript>(new CommandDefinition(sql, transaction: transaction, cancellationToken: ct)))
                .Select(row => row.ScriptName is null ? row with { ScriptName = "(null)" } : row)];
        }
        catch (Exception exception) when (
            exception is DataException || (exception is DbException failed && dialect.Explain(failed).Missing))
        {
            throw Unreadable("schemaversions", exception);
        }
    }

    /// <summary>All attempts, oldest first; empty when the history does not exist.</summary>
    public static async Task<List<Attempt>> ReadHistory(DbConnection connection, DbTransaction? transaction, SchemaDialect dialect,
        CancellationToken ct)
    {
        const string Sql = """
            -- Journal.ReadHistory
            select scriptname as script_name, direction, outcome, at, duration_seconds, applied_by, host, tool_version, message
            from schema_history
            order by id
            """;

        if (!await Exists(connection, transaction, dialect.FindHistory, ct))
        {
            return [];
        }

        try
        {
            return (await connection.QueryAsync<Attempt>(new CommandDefinition(Sql, transaction: transaction, cancellationToken: ct)))
                .AsList();
        }
        catch (Exception exception) when (
            exception is DataException || (exception is DbException failed && dialect.Explain(failed).Missing))
        {
            throw Unreadable("schema_history", exception);
        }
    }

    /// <summary>The journal row for a script that this process applies now.</summary>
    internal static AppliedScript Row(Script script, TimeProvider time) => new()
    {
        ScriptName = script.Name,
        Applied = time.Now(),
        Checksum = script.Checksum,
        AppliedBy = CurrentUser(),
        ToolVersion = ToolVersion,
    };

    internal static Task Add(DbConnection connection, DbTransaction transaction, AppliedScript script, CancellationToken ct)
    {
        const string Sql = """
            -- Journal.Add
            insert into schemaversions (scriptname, applied, checksum, duration_seconds, applied_by, tool_version)
            values (@ScriptName, @Applied, @Checksum, @DurationSeconds, @AppliedBy, @ToolVersion)
            """;

        return connection.ExecuteAsync(new CommandDefinition(Sql, new
        {
            script.ScriptName,
            Applied = DateTime.SpecifyKind(script.Applied.UtcDateTime, DateTimeKind.Unspecified),
            script.Checksum,
            script.DurationSeconds,
            script.AppliedBy,
            script.ToolVersion,
        }, transaction, cancellationToken: ct));
    }

    internal static Task Remove(DbConnection connection, DbTransaction transaction, string scriptName, CancellationToken ct)
    {
        const string Sql = """
            -- Journal.Remove
            delete from schemaversions where scriptname = @scriptName
            """;

        return connection.ExecuteAsync(new CommandDefinition(Sql, new { scriptName }, transaction, cancellationToken: ct));
    }

    /// <summary>Deletes all rows, including unknown scripts.</summary>
    internal static Task Clear(DbConnection connection, DbTransaction transaction, CancellationToken ct)
    {
        const string Sql = """
            -- Journal.Clear
            delete from schemaversions
            """;

        return connection.ExecuteAsync(new CommandDefinition(Sql, transaction: transaction, cancellationToken: ct));
    }

    internal static Task Write(DbConnection connection, DbTransaction? transaction, Attempt attempt, CancellationToken ct)
    {
        const string Sql = """
            -- Journal.Write
            insert into schema_history (scriptname, direction, outcome, at, duration_seconds, applied_by, host, tool_version, message)
            values (@ScriptName, @Direction, @Outcome, @At, @DurationSeconds, @AppliedBy, @Host, @ToolVersion, @Message)
            """;

        return connection.ExecuteAsync(
            new CommandDefinition(
                Sql, attempt with { Host = Environment.MachineName, AppliedBy = CurrentUser(), ToolVersion = ToolVersion }, transaction,
                cancellationToken: ct));
    }

    private static MigrationException Unreadable(string table, Exception cause) => new(MigrationFault.JournalUnreadable,
        $"The table {table} does not have the format of this program or DbUp "
            + $"({(cause is DataException ? "a column has another type" : "a column is missing")}). If another program owns it, "
            + "rename it; if it was altered, restore its columns.", cause);

    // In a container the user id may have no name.
    internal static string? CurrentUser()
    {
        try
        {
            return Environment.UserName;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static async Task<bool> Exists(DbConnection connection, DbTransaction? transaction, string find, CancellationToken ct) =>
        await connection.ExecuteScalarAsync<int?>(new CommandDefinition(find, transaction: transaction, cancellationToken: ct)) is not null;
}
