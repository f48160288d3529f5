using System.Diagnostics;

namespace Catalog.Data;

/// <summary>The spans of the Catalog's own work, and the organization that log lines and spans name.</summary>
public static class Tracing
{
    /// <summary>The name of the source of spans.</summary>
    public const string SourceName = "Catalog";

    /// <summary>The tag of a span that contains the id of its organization.</summary>
    public const string Organization = "catalog.organization";

    internal static ActivitySource Source { get; } = new(SourceName);

    /// <summary>
    /// Begins a trace for work that no request waits for. It exists also when nothing records spans, because log lines
    /// contain its id.
    /// </summary>
    /// <param name="name">The name of the span.</param>
    /// <param name="organization">The organization.</param>
    /// <returns>The span; dispose it at the end of the work.</returns>
    public static Activity Begin(string name, string organization)
    {
        var span = Source.StartActivity(name) ?? new Activity(name).Start();
        return span.SetTag(Organization, organization);
    }

    /// <summary>The organization of the current work; null when it belongs to none.</summary>
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
