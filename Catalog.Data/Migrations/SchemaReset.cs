using System.Data;
using System.Data.Common;
using Catalog.Data.Migrations.Postgres;
using Catalog.Data.Migrations.Sqlite;

namespace Catalog.Data.Migrations;

/// <summary>Drops all objects of the scripts, whatever the state of the schema is.</summary>
internal sealed class SchemaReset(MigratorLock migratorLock, SchemaDialect dialect, Chain chain, TimeProvider time)
{
    /// <inheritdoc cref="Migrator.Clear" />
    public Task<IReadOnlyList<string>> Clear(bool force, CancellationToken ct) => migratorLock.Run(async (connection, status) =>
    {
        if (!force && status.Unexplained is { } unexplained)
        {
            throw new MigrationException(unexplained.Fault,
                $"{unexplained.Message} The tables may belong to another program; if they do not, --force drops them.");
        }

        if (!force && !await migratorLock.HasJournal(connection, ct) && await migratorLock.Tables(connection, ct) is { Count: > 0 } tables)
        {
            throw new MigrationException(MigrationFault.NotEmpty,
                $"The journal does not exist, so these tables may belong to another program: {Quantity.Few(tables)}. "
                + "If they do not, --force drops the tables with the names of the Catalog's tables.");
        }

        await migratorLock.CreateJournal(connection, ct);
        var objects = SchemaDescription.CreatedObjects(chain);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        try
        {
            await (dialect is PostgresSchemaDialect
                ? PostgresDrop.Run(dialect, connection, transaction, objects, force, ct)
                : SqliteDrop.Run(dialect, connection, transaction, objects, ct));
        }
        catch (DbException exception) when (connection.State == ConnectionState.Open && dialect.Explain(exception) is var error)
        {
            throw new MigrationException(MigrationFault.ScriptFailed,
                $"Nothing was dropped: {error.Message}. --force also drops the objects that depend on the Catalog's tables.", exception);
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
        return (IReadOnlyList<string>)[.. objects.Select(created => created.Name)];
    }, ct, rejectFaults: false);
}
