namespace Catalog.Data.Migrations;

/// <summary>A database error, reduced to what the migrator needs.</summary>
/// <param name="Message">The database's message, without values from rows.</param>
/// <param name="Position">The position in the statement in characters, from 1; null when unknown.</param>
/// <param name="AlreadyExists">Whether the object to create already exists.</param>
/// <param name="Missing">Whether a table, column or schema does not exist.</param>
/// <param name="NotPermitted">Whether the role lacks a right.</param>
/// <param name="Final">Whether the statement was rejected before it changed anything.</param>
public sealed record StatementError(string Message, int? Position, bool AlreadyExists, bool Missing, bool NotPermitted, bool Final);
