namespace Catalog.Data.Migrations;

/// <summary>Whether a database can be used by this build.</summary>
/// <param name="Ready">True when every script of this build is applied. Newer scripts are allowed: they only add objects.</param>
/// <param name="Head">The newest applied revision, such as <c>0001_initial</c>; null when there is none.</param>
/// <param name="Reason">Why the database cannot be used, for an operator; null when ready.</param>
public sealed record SchemaProbeResult(bool Ready, string? Head, string? Reason)
{
    /// <summary>Whether the database lacks scripts of this build; null when this could not be read.</summary>
    public bool? IsBehind { get; init; }

    /// <summary>Details for the log only, with host and user; null when there are none.</summary>
    public string? Cause { get; init; }
}
