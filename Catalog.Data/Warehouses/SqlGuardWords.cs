using System.Buffers;

namespace Catalog.Data.Warehouses;

/// <summary>The words that have a meaning in <see cref="SqlGuardRules"/>, in lower case.</summary>
internal static class SqlGuardWords
{
    /// <summary>Statements that write.</summary>
    public static readonly HashSet<string> Writes = Words("insert update delete merge replace");

    /// <summary>
    /// Words after a column's name. They are reserved in Postgres and DuckDB, so they cannot be the name of a table that
    /// is written.
    /// </summary>
    public static readonly HashSet<string> Operators = Words("is and or not in then order from as asc desc like ilike");

    /// <summary>Words that may stand directly before a second SELECT of the same statement.</summary>
    public static readonly HashSet<string> BeforeSelect = Words("union all distinct except intersect");

    /// <summary>Words after FOR in a clause that locks rows.</summary>
    public static readonly HashSet<string> AfterFor = Words("update share no key");

    /// <summary>Words before the name of a table.</summary>
    public static readonly HashSet<string> BeforeTables = Words("from join table describe summarize pivot unpivot");

    /// <summary>Functions whose arguments contain the word FROM.</summary>
    public static readonly HashSet<string> CallsWithFrom = Words("extract trim substring overlay position");

    /// <summary>Words that begin a clause.</summary>
    public static readonly HashSet<string> Clauses = Words(
        "select from where group having order limit offset fetch union intersect except minus window qualify for into values with join "
        + "returning prewhere option table");

    // All are reserved in SQL Server. There a second statement needs no semicolon.
    private static readonly HashSet<string> SqlServerStatements = Words(
        "insert update delete merge truncate create alter drop grant revoke deny exec execute set declare print use if while begin commit "
        + "rollback save backup restore bulk dbcc checkpoint shutdown reconfigure waitfor raiserror goto return kill open close deallocate "
        + "readtext writetext updatetext setuser revert load dump xlock tablock tablockx updlock holdlock receive");

    private static readonly HashSet<string> FileTypes = Words(
        "csv tsv txt parquet json jsonl ndjson geojson xlsx arrow arrows feather avro orc db duckdb sqlite gz zst bz2 shp gpkg");

    private static readonly SearchValues<char> FileMarks = SearchValues.Create("./\\:*?");

    /// <summary>The words that a statement may begin with.</summary>
    public static string[] Starts(WarehouseSqlFamily family) => family switch
    {
        WarehouseSqlFamily.Postgres or WarehouseSqlFamily.MySql => ["select", "with", "values", "table"],
        WarehouseSqlFamily.Sqlite => ["select", "with", "values"],
        WarehouseSqlFamily.DuckDb => ["select", "with", "values", "table", "from"],
        _ => ["select", "with"],
    };

    /// <summary>Whether a word begins a statement of SQL Server that does not read.</summary>
    public static bool IsSqlServerStatement(SqlGuardToken word, SqlGuardToken next) => word.IsAny(SqlServerStatements)
        || (word.Is("send") && next.Is("on")) || ((word.Is("get") || word.Is("end") || word.Is("move")) && next.Is("conversation"))
        || ((word.Is("disable") || word.Is("enable")) && next.Is("trigger"));

    /// <summary>
    /// Whether DuckDB could read a table's name as the name of a file, with or without quotes: <c>"a.csv"</c> and <c>a.csv</c>.
    /// </summary>
    public static bool IsFile(string first, string last, int parts) =>
        first.AsSpan().ContainsAny(FileMarks) || last.AsSpan().ContainsAny(FileMarks) || (parts > 1 && FileTypes.Contains(last));

    private static HashSet<string> Words(string words) => [.. words.Split(' ')];
}
