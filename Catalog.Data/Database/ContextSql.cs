namespace Catalog.Data.Database;

/// <summary>
/// The SQL that gives statements the role and the organization that row-level security needs, in the same round trip.
/// On Postgres it is one statement with the organization as a parameter. On Citus it is several statements with the
/// organization as a literal: Citus forwards only the settings of <c>set local</c> statements in a transaction block to
/// the servers with the rows, and <c>set local</c> takes no parameters.
/// </summary>
public sealed class ContextSql
{
    private readonly string[] _first;
    private readonly string? _setting;

    private ContextSql(string[] first, string? setting, bool returnsRow) => (_first, _setting, ReturnsRow) = (first, setting, returnsRow);

    /// <summary>Whether the server returns a row before the rows of the statement.</summary>
    internal bool ReturnsRow { get; }

    /// <summary>
    /// Whether the value is a literal. Then statements outside a transaction need a transaction block of their own.
    /// </summary>
    internal bool IsBlock => _setting is not null;

    /// <summary>One statement with the parameter <see cref="RowSecurityContext.Parameter"/>.</summary>
    internal static ContextSql WithParameter(string sql) => new([sql], null, returnsRow: true);

    /// <summary>Several statements for a transaction block, with the value as a literal.</summary>
    /// <param name="first">The statements before the one that sets the value.</param>
    /// <param name="setting">The setting that gets the value.</param>
    /// <param name="returnsRow">Whether one of the first statements returns a row.</param>
    internal static ContextSql Block(string[] first, string setting, bool returnsRow) => new(first, setting, returnsRow);

    /// <summary>The text of the context SQL, followed by a statement.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="value">The organization, or the key of a lookup.</param>
    /// <param name="inTransaction">Whether a transaction has begun.</param>
    internal string Before(string sql, string value, bool inTransaction) => !IsBlock ? $"{_first[0]};\n{sql}"
        : inTransaction ? $"{string.Join(";\n", Statements(value))};\n{sql}"
        : $"begin;\n{string.Join(";\n", Statements(value))};\n{sql}\n;\ncommit";

    /// <summary>The statements that set the context.</summary>
    internal IEnumerable<string> Statements(string value) => IsBlock ? [.. _first, $"set local {_setting} = {Literal(value)}"] : _first;

    // A literal of the form E'...' means the same with every setting of standard_conforming_strings. A NUL would end
    // the statement, so it is rejected. No stored value contains a NUL.
    private static string Literal(string value) => value.Contains('\0', StringComparison.Ordinal)
        ? throw new ArgumentException("The value contains a NUL character.", nameof(value))
        : $"E'{value.Replace("\\", @"\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";
}
