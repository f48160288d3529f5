using Catalog.Api.Http;
using Catalog.Api.Runs;
using Catalog.Data.Runs;

namespace Catalog.Api.Pages.Runs;

/// <summary>
/// Downloads of the long texts of a run: its error, its metadata, the error of a stage, and an event as received.
/// </summary>
internal static class RunTexts
{
    public const string Error = "error";
    public const string Metadata = "metadata";
    public const string Stage = "stage";
    public const string Event = "event";

    /// <summary>The kinds of texts.</summary>
    public static readonly string[] All = [Error, Metadata, Stage, Event];

    /// <summary>The address of a text.</summary>
    /// <param name="run">The run.</param>
    /// <param name="kind">One of <see cref="All"/>.</param>
    /// <param name="of">The name of the stage, or the id of the event; null for the other kinds.</param>
    public static string Href(string run, string kind, string? of = null) =>
        Links.With(Links.Run(run), ("download", kind), ("of", of));

    public static async Task<IResult> Download(RunPageQuery query, string organization, RunItem run, RunEventRepository events,
        HttpContext context, CancellationToken ct)
    {
        var text = query.Download switch
        {
            Error => run.ErrorMessage,
            Metadata => run.Metadata?.ToString(),
            Stage => run.Stages.FirstOrDefault(stage => stage.StageName == query.Of)?.ErrorMessage,
            _ => query.Of is { } id ? await events.Find(organization, run.Id, id, ct) : null,
        };
        return text is null ? Problems.NotFound("text") : Pages.Download.Text(query.Download!, text, context);
    }
}
