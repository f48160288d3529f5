namespace Catalog.Data.Migrations;

/// <summary>Whether a database is fit for this build.</summary>
/// <param name="Ready">True when every script that this build needs was applied; newer ones may have been, they only add.</param>
/// <param name="Head">The newest applied script without its ending, null when there is none.</param>
/// <param name="Reason">Why not, in words for an operator; null when ready.</param>
public sealed record SchemaState(bool Ready, string? Head, string? Reason)
{
    /// <summary>The reason for the operator's own log, with host and user; null when there is no more to say.</summary>
    public string? Cause { get; init; }
}
