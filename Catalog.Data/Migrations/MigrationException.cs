namespace Catalog.Data.Migrations;

/// <summary>Why a migration could not be carried out. The console's exit code and the <c>code</c> of its JSON follow from it.</summary>
public enum MigrationFault
{
    /// <summary>A statement of a script failed; its transaction was undone.</summary>
    ScriptFailed,

    /// <summary>A script's file cannot be read as SQL.</summary>
    ScriptUnreadable,

    /// <summary>The tables of the journal are not those that this program or DbUp makes.</summary>
    JournalUnreadable,

    /// <summary>The connection was lost in the middle of a script; the server undoes what was begun.</summary>
    ConnectionLost,

    /// <summary>Two scripts carry one number, or a number is missing, or a name is not <c>NNNN_name.sql</c>.</summary>
    ChainBroken,

    /// <summary>No script is called so, or it lies on the wrong side.</summary>
    UnknownTarget,

    /// <summary>An applied script's text has changed.</summary>
    ChecksumMismatch,

    /// <summary>The database has had a newer revision than this build knows.</summary>
    NewerSchema,

    /// <summary>The database has had a revision that this build does not know, between those that it does.</summary>
    UnknownRevision,

    /// <summary>A script was not applied although a later one was.</summary>
    HistoryGap,

    /// <summary>Scripts were applied in another order than their numbers'.</summary>
    OutOfOrder,

    /// <summary>The journal names one revision twice.</summary>
    DuplicateRevision,

    /// <summary>The live schema is not the one of its revision.</summary>
    Drift,

    /// <summary>A lock was not obtained in time: another migrator's, or a table's.</summary>
    LockNotObtained,

    /// <summary>A script that runs without a transaction was interrupted, and its state cannot be told.</summary>
    HalfApplied,

    /// <summary>This is no database to migrate: a pooler in transaction mode, a standby, too old a server.</summary>
    WrongTarget,

    /// <summary>The database holds tables, and no journal says whose.</summary>
    NotEmpty,

    /// <summary>The role may not create tables where they belong.</summary>
    NotPermitted,

    /// <summary>The database's name was not given as it has to be.</summary>
    NotConfirmed,

    /// <summary>Of two databases one has had scripts that the other has not.</summary>
    RevisionsDiffer,

    /// <summary>The file to be moved cannot be read, is no database or is damaged.</summary>
    SourceUnusable,

    /// <summary>Rows of such a table cannot be moved: it lacks a column or a key, or has a type or references that this build cannot serve.</summary>
    NotMovable,
}

/// <summary>A migration that could not be carried out. The message says what to do and holds no secret.</summary>
public sealed class MigrationException(MigrationFault fault, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Why.</summary>
    public MigrationFault Fault { get; } = fault;
}
