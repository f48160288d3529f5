using System.Diagnostics;

namespace Catalog.Data;

/// <summary>
/// Creates the spans of the Catalog's own work, and finds the organization that log lines and spans name.
/// </summary>
public static class Tracing
{
    /// <summary>The name of the source of spans.</summary>
    public const string SourceName = "Catalog";

    /// <summary>The tag of a span whose value is the id of the organization.</summary>
    public const string Organization = "catalog.organization";

    internal static ActivitySource Source { get; } = new(SourceName);

    /// <summary>
    /// Begins a trace for work that no request waits for. The trace exists even when nothing records spans, because log
    /// lines contain its id.
    /// </summary>
    /// <param name="name">The name of the span.</param>
    /// <param name="organization">The id of the organization.</param>
    /// <returns>The span; dispose it at the end of the work.</returns>
    public static Activity Begin(string name, string organization)
    {
        var span = Source.StartActivity(name) ?? new Activity(name).Start();
        return span.SetTag(Organization, organization);
    }

    /// <summary>
    /// The id of the organization of the current work; null when the work belongs to no organization.
    /// </summary>
    public static string? CurrentOrganization()
    {
        for (var span = Activity.Current; span is not null; span = span.Parent)
        {
            if (span.GetTagItem(Organization) is string organization)
            {
                return organization;
            }
        }

        return null;
    }
}
