using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;
using Dapper;

namespace Catalog.Migrations.Doctor;

/// <summary>
/// Checks the database through the migrator's connection. Also checks that the service's address leads to the same
/// database. Changes nothing.
/// </summary>
public sealed class DatabaseDoctor(MigrationDatabase database, Chain chain, DoctorThresholds? limits = null)
{
    private readonly DoctorReport _report = new();
    private readonly EngineDoctor _doctor = EngineDoctor.For(database);

    /// <summary>Runs all checks. Call once per instance.</summary>
    /// <param name="service">The service's address; often the same as the migrator's.</param>
    /// <param name="role">The role that the service's statements run as.</param>
    /// <param name="ct">Cancels the operation.</param>
    public async Task<DoctorReport> Examine(DatabaseSettings service, string role, CancellationToken ct)
    {
        var same = service.IsSameAs(database.Settings);
        var subject = $"{(same ? "The address" : "The migrator's address")} ({database.Settings.ReadFrom})";
        try
        {
            await using var connection = await database.Reads.OpenConnectionAsync(ct);
            var place = await _doctor.Locate(connection, ct);
            _report.Reached = true;
            var servicePlace = same ? place : await FindService(service, place, ct);
            await CheckSchema(connection, ct);
            await _doctor.Check(connection, new(service, servicePlace, role), limits ?? new(), _report, ct);
        }
        catch (Exception exception) when (ConnectionFailure.Find(exception, subject, database.Settings) is { } failure)
        {
            _report.Add(failure.Code, Severity.Error, failure.Message, failure.Action);
            if (!_report.Reached && !same)
            {
                await FindService(service, null, ct);
            }
        }

        return _report;
    }

    private async Task CheckSchema(DbConnection connection, CancellationToken ct)
    {
        var dialect = database.Dialect;
        (SchemaStatus Status, bool HasJournal, List<string> Tables)? found = null;
        try
        {
            await _doctor.RunCheck(connection, "The schema", async () => found = (
                await SchemaStatus.Read(connection, dialect, chain, ct),
                await connection.ExecuteScalarAsync<int?>(new CommandDefinition(dialect.FindJournal, cancellationToken: ct)) is not null,
                (await connection.QueryAsync<string>(new CommandDefinition(dialect.FindTables, cancellationToken: ct))).AsList()), _report,
                    ct);
        }
        catch (MigrationException exception)
        {
            _report.Add("journal_unreadable", Severity.Error, exception.Message, null);
            return;
        }

        if (found is var (status, hasJournal, tables))
        {
            var matchingRevision = hasJournal || tables.Count == 0 ? null : await FindMatchingRevision(connection, ct);
            _report.Findings.AddRange(SchemaFindings.Of(status, hasJournal, tables, matchingRevision, chain));
        }
    }

    // Returns the newest revision whose committed description matches the live schema. Returns null if there is none,
    // or after an error or a time-out.
    private async Task<string?> FindMatchingRevision(DbConnection connection, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            await using var reading = await database.Dialect.BeginRead(connection, limit.Token);
            var live = await database.Reader.Describe(connection, limit.Token);
            return chain.Scripts.LastOrDefault(script => script.Fingerprint is { } committed && SchemaDescription.Compare(committed, live)
                .Count == 0)?.Revision;
        }
        catch (Exception exception) when (
            !ct.IsCancellationRequested && exception is DbException or MigrationException or OperationCanceledException)
        {
            return null;
        }
    }

    // Returns null if the service's address is unreachable or leads to another database.
    private async Task<Place?> FindService(DatabaseSettings service, Place? place, CancellationToken ct)
    {
        var subject = $"The service's address ({service.ReadFrom})";
        await using var opened = MigrationDatabase.Open(service);
        try
        {
            await using var connection = await opened.Reads.OpenConnectionAsync(ct);
            var found = await EngineDoctor.For(opened).Locate(connection, ct);
            if (place is null || found.Database == place.Database)
            {
                return found;
            }

            _report.Add("addresses_differ", Severity.Error,
                $"The migrator's address ({database.Settings.ReadFrom}: {database.Settings.Display}) and the service's "
                    + $"({service.ReadFrom}: {service.Display}) lead to different databases: the service does not use the migrated "
                    + "database.",
                $"Set both to the same database, or unset {database.Settings.ReadFrom}.");
        }
        catch (Exception exception) when (ConnectionFailure.Find(exception, subject, service) is { } failure)
        {
            _report.Add(failure.Code, Severity.Error, failure.Message, failure.Action);
        }

        return null;
    }
}
