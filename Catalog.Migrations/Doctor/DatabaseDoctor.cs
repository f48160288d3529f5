using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>Looks at the database from both sides, the migrator's and the service's, says what is wrong, and changes nothing.</summary>
public sealed class DatabaseDoctor(MigrationDatabase database, Chain chain, DoctorThresholds? limits = null)
{
    private readonly DoctorReport _examined = new();
    private readonly EngineDoctor _doctor = EngineDoctor.For(database);

    /// <summary>Looks once.</summary>
    /// <param name="service">The address that the service uses; often the migrator's own.</param>
    /// <param name="role">The role that the service's statements run as.</param>
    /// <param name="ct">Stops.</param>
    public async Task<DoctorReport> Look(DatabaseSettings service, string role, CancellationToken ct)
    {
        var same = service.IsSameAs(database.Settings);
        var mine = $"{(same ? "The address" : "The migrator's address")} ({database.Settings.ReadFrom})";
        try
        {
            await using var connection = await database.Reads.OpenConnectionAsync(ct);
            var place = await _doctor.Locate(connection, ct);
            _examined.Reached = true;
            var served = same ? place : await FindService(service, place, ct);
            await LookAtSchema(connection, ct);
            await _doctor.Look(connection, new(service, served, role), limits ?? new(), _examined, ct);
        }
        catch (Exception exception) when (ConnectionFailure.Find(exception, mine, database.Settings) is { } failure)
        {
            _examined.Add(failure.Code, Severity.Error, failure.Message, failure.Action);
            if (!_examined.Reached && !same)
            {
                await FindService(service, null, ct);
            }
        }

        return _examined;
    }

    private async Task LookAtSchema(DbConnection connection, CancellationToken ct)
    {
        var dialect = database.Dialect;
        (SchemaStatus Standing, bool HasJournal, List<string> Tables)? found = null;
        try
        {
            await _doctor.Part(connection, "The schema", async () => found = (
                await SchemaStatus.Read(connection, dialect, chain, ct),
                await connection.ExecuteScalarAsync<int?>(new CommandDefinition(dialect.FindJournal, cancellationToken: ct)) is not null,
                (await connection.QueryAsync<string>(new CommandDefinition(dialect.FindTables, cancellationToken: ct))).AsList()), _examined, ct);
        }
        catch (MigrationException exception)
        {
            _examined.Add("journal_unreadable", Severity.Error, exception.Message, null);
            return;
        }

        if (found is var (standing, hasJournal, tables))
        {
            var likeness = hasJournal || tables.Count == 0 ? null : await Likeness(connection, ct);
            _examined.Findings.AddRange(SchemaFindings.Of(standing, hasJournal, tables, likeness, chain));
        }
    }

    // The newest revision whose committed description the live schema has; null when there is none, or it cannot be told in time.
    private async Task<string?> Likeness(DbConnection connection, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            await using var reading = await database.Dialect.BeginRead(connection, limit.Token);
            var live = await database.Reader.Describe(connection, limit.Token);
            return chain.Scripts.LastOrDefault(script => script.Fingerprint is { } committed && SchemaDescription.Compare(committed, live).Count == 0)?.Revision;
        }
        catch (Exception exception) when (!ct.IsCancellationRequested && exception is DbException or MigrationException or OperationCanceledException)
        {
            return null;
        }
    }

    // Null when it cannot be reached, or leads elsewhere: then nothing can be said of it here.
    private async Task<Place?> FindService(DatabaseSettings service, Place? place, CancellationToken ct)
    {
        var which = $"The service's address ({service.ReadFrom})";
        await using var opened = MigrationDatabase.Open(service);
        try
        {
            await using var connection = await opened.Reads.OpenConnectionAsync(ct);
            var found = await EngineDoctor.For(opened).Locate(connection, ct);
            if (place is null || found.Database == place.Database)
            {
                return found;
            }

            _examined.Add("addresses_differ", Severity.Error,
                $"The migrator's address ({database.Settings.ReadFrom}: {database.Settings.Display}) and the service's ({service.ReadFrom}: {service.Display}) lead to different databases: what is migrated is not what is served.",
                $"Let both name one database, or unset {database.Settings.ReadFrom}.");
        }
        catch (Exception exception) when (ConnectionFailure.Find(exception, which, service) is { } failure)
        {
            _examined.Add(failure.Code, Severity.Error, failure.Message, failure.Action);
        }

        return null;
    }
}
