using Catalog.Api.Runs;

namespace Catalog.Api.Pages.Runs;

/// <summary>Why a run failed, in one line of a list.</summary>
internal static class FailureReason
{
    /// <returns>The run's error, or the name of its failed stage; null when neither is known.</returns>
    public static string? Of(RunItem run) => DisplayText.Excerpt(run.ErrorMessage
        ?? (run.Stages.FirstOrDefault(stage => stage.Status == "failed") is { } stage ? $"Stage '{stage.StageName}' failed." : null));
}
