using Catalog.Api.Http;

namespace Catalog.Api.Pages;

/// <summary>Describes errors of the API for the readers of pages, who see fields and forms, not requests.</summary>
internal static class PageErrors
{
    private static readonly Dictionary<string, string> Labels = new(StringComparer.Ordinal)
    {
        ["q"] = "Search",
        ["text"] = "Check contains",
        ["zone"] = "Time zone",
        ["expires_in_seconds"] = "Expires",
        ["overlap_seconds"] = "This key stays valid for",
        ["runs_kept_days"] = "Days for runs",
        ["results_kept_days"] = "Days for check results",
        ["events_kept_days"] = "Days for events",
        ["pipeline_id"] = "Pipeline",
        ["check_id"] = "Check",
        ["run_id"] = "Run",
        ["window"] = "Last results",
        ["min_changes"] = "Changes of status at least",
        ["ended_since"] = "Ended",
        ["limit"] = "Rows of a page",
        ["cursor"] = "Place in the list",
    };

    /// <summary>The title of an error's page.</summary>
    public static string Heading(Problem problem) => problem.Status switch
    {
        400 => "The form was not accepted",
        401 => "Sign in again",
        403 => "Not allowed",
        404 => "Not found",
        409 => "Not possible now",
        422 => "Not valid",
        429 => "Too many requests",
        >= 500 => "The service cannot do this now",
        _ => problem.Heading,
    };

    /// <summary>What is wrong, and what to do.</summary>
    /// <param name="problem">The error of the API.</param>
    /// <param name="isForm">Whether a form was sent.</param>
    public static string Detail(Problem problem, bool isForm) => problem.Code switch
    {
        "invalid" => isForm ? "Go back, correct this and send the form again." : "The address of this page contains an invalid "
            + "value. Correct it, or open the page from the menu.",
        "not_found" when problem.Detail.StartsWith("This path", StringComparison.Ordinal) => "There is no page with this address.",
        "id_taken" or "idempotency_key_reused" =>
            "This form was sent before and was processed then. A new key is shown only once: revoke it, open the page again and create "
                + "another.",
        "malformed" or "unsupported_media_type" => "The form was incomplete or damaged. Open the page again, fill in the form and send it.",
        "too_large" => "The form is too large, or the execution has too many checks. Select fewer items and send it again.",
        "execution_queue_full" => "Too many executions wait. Nothing was started; try again when some have ended.",
        "plan_limit_reached" =>
            $"Your organization has reached a limit of its plan. The plan '{problem.Plan}' has a higher limit: see Usage and plan.",
        "organization_unknown" => "The organization of your sign-in is not registered here. Ask the operator to register it.",
        "no_executable_checks" =>
            "No check of this pipeline can be executed: none has a connection. Add a connection to a check's definition.",
        "internal_error" => "The service failed unexpectedly. Give the number of the request below to the operator.",
        _ => problem.Detail,
    };

    /// <summary>The label of a field.</summary>
    /// <param name="place">A query parameter, or a JSON pointer such as <c>/scopes/0</c>.</param>
    public static string Label(string place)
    {
        var name = Name(place);
        return Labels.TryGetValue(name, out var label) ? label
            : name.Length == 0 ? "Form" : char.ToUpperInvariant(name[0]) + name[1..].Replace('_', ' ');
    }

    /// <summary>A message about a field.</summary>
    public static string Message(string place, string message) => Name(place) switch
    {
        "expires_in_seconds" or "overlap_seconds" => "choose one of the times of the list.",
        "scopes" when message.Contains("at least one", StringComparison.Ordinal) => "choose at least one.",
        "scopes" => "choose from the scopes that the form has.",
        "runs_kept_days" or "results_kept_days" or "events_kept_days" =>
            message.Replace("or null", "or empty", StringComparison.Ordinal),
        _ when message.StartsWith("is not a parameter of this path", StringComparison.Ordinal) => "this page has no such filter.",
        _ when message == "is required." => "fill in this field.",
        _ => message,
    };

    private static string Name(string place) => place.TrimStart('/').Split('/')[0];
}
