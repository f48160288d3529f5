using System.Data.Common;
using Catalog.Data.Database;
using Dapper;

namespace Catalog.Data.Migrations;

/// <summary>One row of the journal: a script that was applied.</summary>
public sealed record AppliedScript
{
    public required string ScriptName { get; init; }

    /// <summary>When, in UTC.</summary>
    public required DateTimeOffset Applied { get; init; }

    /// <summary>Of the script's text; null when DbUp applied it.</summary>
    public string? Checksum { get; init; }

    public double? DurationSeconds { get; init; }

    /// <summary>The operating system's user who ran it.</summary>
    public string? AppliedBy { get; init; }

    public string? ToolVersion { get; init; }
}

/// <summary>The table <c>schemaversions</c>: which scripts a database has had.</summary>
public static class Journal
{
    /// <summary>The applied scripts in the order of their names; empty when there is no journal yet.</summary>
    public static async Task<List<AppliedScript>> Read(DbConnection connection, SchemaDialect dialect, CancellationToken ct)
    {
        const string Sql = """
            -- Journal.Read
            select scriptname as script_name, applied, checksum, duration_seconds, applied_by, tool_version
            from schemaversions
            order by scriptname
            """;

        return await connection.ExecuteScalarAsync<int?>(new CommandDefinition(dialect.FindJournal, cancellationToken: ct)) is null
            ? []
            : (await connection.QueryAsync<AppliedScript>(new CommandDefinition(Sql, cancellationToken: ct))).AsList();
    }

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
            // DbUp's column carries no zone and holds UTC.
            Applied = DateTime.SpecifyKind(script.Applied.UtcDateTime, DateTimeKind.Unspecified),
            script.Checksum,
            script.DurationSeconds,
            script.AppliedBy,
            script.ToolVersion,
        }, transaction, cancellationToken: ct));
    }
}
