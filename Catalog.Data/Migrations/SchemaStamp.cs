namespace Catalog.Data.Migrations;

/// <summary>Writes the journal for a schema that was created in another way. Runs no script.</summary>
internal sealed class SchemaStamp(MigratorLock migratorLock, MigrationDatabase database, Chain chain, TimeProvider time)
{
    /// <inheritdoc cref="Migrator.Stamp" />
    public Task<string> Write(string target, bool force, CancellationToken ct) => migratorLock.Run(async (connection, status) =>
    {
        var to = chain.Position(target, status.Position);
        if (!force && status.Unexplained is { } unexplained)
        {
            throw new MigrationException(unexplained.Fault,
                $"{unexplained.Message} If the journal is the Catalog's, --force deletes the rows that this build does not know.");
        }

        // At base there is nothing to compare: the database may contain tables of other programs.
        if (!force && to > 0 && chain.Scripts[to - 1].Fingerprint is { } fingerprint
            && SchemaDescription.Compare(fingerprint, await database.Reader.Describe(connection, ct)) is { Count: > 0 } differences)
        {
            var more = differences.Count > 5 ? $"; and {differences.Count - 5} more" : "";
            throw new MigrationException(MigrationFault.Drift,
                $"The live schema differs from {chain.RevisionAt(to)}: {string.Join("; ", differences.Take(5))}{more}. "
                + "Name the correct revision, correct the schema, or add --force.");
        }

        await migratorLock.CreateJournal(connection, ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await Journal.Clear(connection, transaction, ct);
        foreach (var script in chain.Scripts.Take(to))
        {
            var row = status.Applied.FirstOrDefault(row => row.ScriptName == script.Name) ?? Journal.Row(script, time);
            await Journal.Add(connection, transaction, row with { Checksum = script.Checksum }, ct);
        }

        await Journal.Write(connection, transaction, new()
        {
            ScriptName = to == 0 ? Chain.Base : chain.Scripts[to - 1].Name,
            Direction = Directions.Stamp,
            Outcome = Outcomes.Finished,
            At = time.Now(),
        }, ct);
        await transaction.CommitAsync(ct);
        return chain.RevisionAt(to);
    }, ct, rejectFaults: false);
}
