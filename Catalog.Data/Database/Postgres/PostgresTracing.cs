using System.Diagnostics;
using Npgsql;

namespace Catalog.Data.Database.Postgres;

/// <summary>Which spans the driver creates. A span contains the statement, never its parameters.</summary>
internal static class PostgresTracing
{
    private const string NameComment = "-- ";

    /// <summary>
    /// The Catalog's own statements, which are constant text. A span has the name of the statement, and belongs to a
    /// request or an execution: work that repeats all day long, such as looking for due executions, is not traced.
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

    /// <summary>No spans: the statements of checks contain texts of users.</summary>
    public static void None(NpgsqlTracingOptionsBuilder options) => options
        .ConfigureCommandFilter(_ => false)
        .ConfigureBatchFilter(_ => false)
        .ConfigureCopyOperationFilter(_ => false)
        .EnablePhysicalOpenTracing(false);

    // The comment that begins each statement, after the SQL that sets the context.
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
