using System.Diagnostics;
using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>Which spans the driver creates. A span contains the statement, never its parameters.</summary>
internal static class PostgresTracing
{
    private const string NameComment = "-- ";

    /// <summary>
    /// Creates spans for the Catalog's own statements, whose text is constant. A span has the name of the statement.
    /// Only statements of a request or an execution have a span; repeated background work, such as the search for due
    /// executions, has none.
    /// </summary>
    public static void Own(NpgsqlTracingOptionsBuilder options) => options
        .ConfigureCommandFilter(_ => Activity.Current is not null)
        .ConfigureBatchFilter(_ => Activity.Current is not null)
        .ConfigureCommandSpanNameProvider(command => NameOf(command.CommandText))
        .ConfigureBatchSpanNameProvider(batch => batch.BatchCommands.OfType<NpgsqlBatchCommand>()
            .Select(command => NameOf(command.CommandText)).FirstOrDefault(name => name is not null))
        .ConfigureCopyOperationFilter(_ => false)
        .EnableFirstResponseEvent(false)
        .EnablePhysicalOpenTracing(false);

    /// <summary>Creates no spans, because the statements of checks contain texts that users wrote.</summary>
    public static void None(NpgsqlTracingOptionsBuilder options) => options
        .ConfigureCommandFilter(_ => false)
        .ConfigureBatchFilter(_ => false)
        .ConfigureCopyOperationFilter(_ => false)
        .EnablePhysicalOpenTracing(false);

    // Reads the name from the comment at the beginning of the statement, which can follow the SQL that sets the
    // context.
    private static string? NameOf(string sql)
    {
        var start = sql.IndexOf(NameComment, StringComparison.Ordinal);
        if (start < 0)
        {
            return null;
        }

        start += NameComment.Length;
        var end = sql.IndexOf('\n', start);
        return end < 0 ? sql[start..] : sql[start..end].TrimEnd();
    }
}
