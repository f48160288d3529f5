namespace Catalog.Data.Migrations;

/// <summary>Why a migration failed. The console's exit code and the <c>code</c> in its JSON follow from it.</summary>
public enum MigrationFault
{
    /// <summary>A statement of a script failed; its transaction was rolled back.</summary>
    ScriptFailed,

    /// <summary>A script file is not valid SQL text.</summary>
    ScriptUnreadable,

    /// <summary>The journal tables do not have the format of this program or DbUp.</summary>
    JournalUnreadable,

    /// <summary>The connection was lost during a script; the server rolls back the open transaction.</summary>
    ConnectionLost,

    /// <summary>Two scripts have the same number, a number is missing, or a name is not <c>NNNN_name.sql</c>.</summary>
    ChainBroken,

    /// <summary>The target revision is unknown, or this command cannot reach it from the current revision.</summary>
    UnknownTarget,

    /// <summary>The text of an applied script was changed.</summary>
    ChecksumMismatch,

    /// <summary>The database has a newer revision than this build knows.</summary>
    NewerSchema,

    /// <summary>The database has an unknown revision between the known ones.</summary>
    UnknownRevision,

    /// <summary>A script was not applied, but a later one was.</summary>
    HistoryGap,

    /// <summary>Scripts were not applied in the order of their numbers.</summary>
    OutOfOrder,

    /// <summary>The journal contains one revision twice.</summary>
    DuplicateRevision,

    /// <summary>The live schema differs from the schema of its revision.</summary>
    Drift,

    /// <summary>Another migrator's lock or a table lock was not released in time.</summary>
    LockNotObtained,

    /// <summary>A script without a transaction was interrupted, and its state is unknown.</summary>
    HalfApplied,

    /// <summary>The database cannot be migrated: a pooler in transaction mode, a standby, or a server that is too old.</summary>
    WrongTarget,

    /// <summary>The database has tables but no journal.</summary>
    NotEmpty,

    /// <summary>The role has no right to create tables in the schema.</summary>
    NotPermitted,

    /// <summary>The database name was not confirmed correctly.</summary>
    NotConfirmed,

    /// <summary>Two databases have different applied scripts.</summary>
    RevisionsDiffer,

    /// <summary>The source file cannot be read, is not a database, or is damaged.</summary>
    SourceUnusable,

    /// <summary>
    /// The rows of a table cannot be moved: a column or key is missing, or this build does not support a type or
    /// reference.
    /// </summary>
    NotMovable,
}

/// <summary>A failed migration. The message says how to fix it and contains no secret.</summary>
public sealed class MigrationException(MigrationFault fault, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The reason.</summary>
    public MigrationFault Fault { get; } = fault;
}
