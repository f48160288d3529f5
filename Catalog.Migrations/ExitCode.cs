using Catalog.Data.Migrations;

namespace Catalog.Migrations;

/// <summary>The exit codes of the console. The numbers are stable: scripts depend on them.</summary>
internal static class ExitCode
{
    /// <summary>Success. From a verb that reports the state of the schema: the schema is at head.</summary>
    public const int Ok = 0;

    /// <summary>The verb failed, and its unfinished work was rolled back; or it ran, and its output says what is left to do.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a setting is invalid, or a question was not confirmed.</summary>
    public const int Usage = 2;

    /// <summary>Scripts are pending, or two databases are at different revisions.</summary>
    public const int Pending = 3;

    /// <summary>Scripts, journal and schema do not agree, or data differs from what it should be.</summary>
    public const int Drift = 4;

    /// <summary>The migrator lock or a table lock was not obtained in time.</summary>
    public const int LockNotObtained = 5;

    /// <summary>A script without a transaction was interrupted, and its effect is unknown.</summary>
    public const int HalfApplied = 6;

    /// <summary>The database or the object store is unreachable or unusable.</summary>
    public const int Unreachable = 7;

    /// <summary>Returns the exit code for a fault.</summary>
    public static int For(MigrationFault fault) => fault switch
    {
        MigrationFault.UnknownTarget or MigrationFault.NotConfirmed => Usage,
        MigrationFault.RevisionsDiffer => Pending,
        MigrationFault.ConnectionLost or MigrationFault.SourceUnusable => Unreachable,
        MigrationFault.ChainBroken or MigrationFault.JournalUnreadable or MigrationFault.ChecksumMismatch or MigrationFault.NewerSchema
            or MigrationFault.UnknownRevision
            or MigrationFault.HistoryGap or MigrationFault.OutOfOrder or MigrationFault.DuplicateRevision or MigrationFault.Drift
            or MigrationFault.NotMovable => Drift,
        MigrationFault.LockNotObtained => LockNotObtained,
        MigrationFault.HalfApplied => HalfApplied,
        _ => Failed,
    };
}
