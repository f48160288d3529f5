namespace Catalog.Data.Migrations;

/// <summary>What a server said against a statement.</summary>
/// <param name="Message">In its own words, without a value of anybody's row.</param>
/// <param name="Position">The character of the statement it means, from 1; null when it names none.</param>
/// <param name="AlreadyExists">Whether what the statement makes is there already.</param>
/// <param name="Missing">Whether a table, column or schema is not there.</param>
/// <param name="NotPermitted">Whether the role may not.</param>
/// <param name="Final">Whether the statement was refused before it did anything, so that nothing of it can be left.</param>
public sealed record Refusal(string Message, int? Position, bool AlreadyExists, bool Missing, bool NotPermitted, bool Final);
