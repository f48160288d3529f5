using System.Data.Common;

namespace Catalog.Data.Migrations;

/// <summary>The migration status of a database relative to a chain of scripts.</summary>
/// <param name="Applied">The journal, in the order in which it was written.</param>
/// <param name="Attempts">The history, oldest first.</param>
/// <param name="Position">The number of applied scripts, counted from the first without a gap.</param>
/// <param name="Current">The newest applied revision, even if this build does not know it; <c>base</c> when there is none.</param>
/// <param name="Pending">The scripts that are not applied.</param>
/// <param name="Faults">The contradictions between the journal and the scripts.</param>
/// <param name="HalfApplied">Scripts without a transaction that were started but not recorded as finished.</param>
/// <param name="Holder">A description of the migrator that is running now; null when there is none.</param>
public sealed record SchemaStatus(
    IReadOnlyList<AppliedScript> Applied, IReadOnlyList<Attempt> Attempts, int Position, string Current, IReadOnlyList<Script> Pending,
    IReadOnlyList<MigrationException> Faults, IReadOnlyList<Script> HalfApplied, string? Holder)
{
    /// <summary>The first fault that may mean that the journal belongs to another program; null when there is none.</summary>
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
            chain.Position(applied),
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
            && attempts.LastOrDefault(attempt => attempt.ScriptName == script.Name) is { } last && last.Direction == direction
            && last.Outcome is Outcomes.Started or Outcomes.Failed;
    }
}

/// <summary>The values of the history's column <c>direction</c>.</summary>
internal static class Directions
{
    public const string Upgrade = "upgrade";
    public const string Downgrade = "downgrade";
    public const string Stamp = "stamp";
    public const string Reset = "reset";
}

/// <summary>The values of the history's column <c>outcome</c>.</summary>
internal static class Outcomes
{
    public const string Started = "started";
    public const string Finished = "finished";
    public const string Failed = "failed";

    /// <summary>The script was rejected before it changed anything.</summary>
    public const string Refused = "refused";
}
