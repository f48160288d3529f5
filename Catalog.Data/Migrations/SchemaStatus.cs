using System.Data.Common;

namespace Catalog.Data.Migrations;

/// <summary>Where a database stands, measured against a chain of scripts.</summary>
/// <param name="Applied">The journal, in the order it was written.</param>
/// <param name="Attempts">The history, oldest first.</param>
/// <param name="Place">How many scripts from the first on were applied.</param>
/// <param name="Current">The newest applied revision, also when this build does not know it; <c>base</c> when there is none.</param>
/// <param name="Pending">The scripts that were not applied.</param>
/// <param name="Faults">What the journal says that the scripts cannot explain.</param>
/// <param name="HalfApplied">Scripts without a transaction that were begun and have not been seen to end.</param>
/// <param name="Holder">The migrator that works on the database now, in words; null when none does.</param>
public sealed record SchemaStatus(
    IReadOnlyList<AppliedScript> Applied, IReadOnlyList<Attempt> Attempts, int Place, string Current, IReadOnlyList<Script> Pending,
    IReadOnlyList<MigrationException> Faults, IReadOnlyList<Script> HalfApplied, string? Holder)
{
    /// <summary>The first fault that says that the journal may be another program's; null when there is none.</summary>
    internal MigrationException? Unexplained =>
        Faults.FirstOrDefault(fault => fault.Fault is MigrationFault.NewerSchema or MigrationFault.UnknownRevision);

    internal static async Task<SchemaStatus> Read(DbConnection connection, SchemaDialect dialect, Chain chain, CancellationToken ct)
    {
        var applied = await Journal.Read(connection, null, dialect, ct);
        var attempts = await Journal.ReadHistory(connection, null, dialect, ct);
        var names = applied.Select(row => row.ScriptName).ToHashSet(StringComparer.Ordinal);
        return new(
            applied,
            attempts,
            chain.Place(applied),
            names.Count == 0 ? Chain.Base : Path.GetFileNameWithoutExtension(names.Max(StringComparer.Ordinal)!),
            [.. chain.Scripts.Where(script => !names.Contains(script.Name))],
            chain.Faults(applied),
            [.. chain.Scripts.Where(script => IsHalfApplied(script, names.Contains(script.Name), attempts))],
            await dialect.Holder(connection, ct));
    }

    internal static bool IsHalfApplied(Script script, bool applied, IReadOnlyList<Attempt> attempts)
    {
        var direction = applied ? Directions.Downgrade : Directions.Upgrade;
        return (applied ? script.Down : script.Up) is { Transactional: false }
            && attempts.LastOrDefault(attempt => attempt.ScriptName == script.Name) is { } last && last.Direction == direction && last.Outcome is Outcomes.Started or Outcomes.Failed;
    }
}

/// <summary>Which way a script was tried, as the history spells it.</summary>
internal static class Directions
{
    public const string Upgrade = "upgrade";
    public const string Downgrade = "downgrade";
    public const string Stamp = "stamp";
    public const string Reset = "reset";
}

/// <summary>How an attempt stands, as the history spells it.</summary>
internal static class Outcomes
{
    public const string Started = "started";
    public const string Finished = "finished";
    public const string Failed = "failed";

    /// <summary>Before anything was done: nothing of it can be left.</summary>
    public const string Refused = "refused";
}
