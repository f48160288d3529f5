using System.Data;
using System.Data.Common;
using Catalog.Data.Migrations.Postgres;
using Catalog.Data.Migrations.Sqlite;

namespace Catalog.Data.Migrations;

/// <summary>Drops what the scripts made, whatever state it is in.</summary>
internal sealed class SchemaReset(MigratorLock locked, SchemaDialect dialect, Chain chain, TimeProvider time)
{
    /// <inheritdoc cref="Migrator.Clear" />
    public Task<IReadOnlyList<string>> Clear(bool force, CancellationToken ct) => locked.Run(async (connection, standing) =>
    {
        if (!force && standing.Unexplained is { } unexplained)
        {
            throw new MigrationException(unexplained.Fault,
                $"{unexplained.Message} The tables may be another program's; if they are not, --force takes them away.");
        }

        if (!force && !await locked.HasJournal(connection, ct) && await locked.Tables(connection, ct) is { Count: > 0 } tables)
        {
            throw new MigrationException(MigrationFault.NotEmpty,
                $"There is no journal, so these tables may be another program's: {Quantity.Few(tables)}. "
                + "If they are not, --force takes away those that carry the names of the Catalog's.");
        }

        await locked.MakeJournal(connection, ct);
        var objects = SchemaDescription.Made(chain);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        try
        {
            await (dialect is PostgresSchemaDialect
                ? PostgresDrop.Run(dialect, connection, transaction, objects, force, ct)
                : SqliteDrop.Run(dialect, connection, transaction, objects, ct));
        }
        catch (DbException exception) when (connection.State == ConnectionState.Open && dialect.Explain(exception) is var said)
        {
            throw new MigrationException(MigrationFault.ScriptFailed,
                $"Nothing was taken away: {said.Message}. --force takes away what depends on the Catalog's tables too.", exception);
        }

        await Journal.Clear(connection, transaction, ct);
        await Journal.Write(connection, transaction, new()
        {
            ScriptName = Chain.Base,
            Direction = Directions.Reset,
            Outcome = Outcomes.Finished,
            At = time.Now(),
        }, ct);
        await transaction.CommitAsync(ct);
        return (IReadOnlyList<string>)[.. objects.Select(made => made.Name)];
    }, ct, refuse: false);
}
