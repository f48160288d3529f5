using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Doctor;

/// <summary>The database that a connection leads to.</summary>
/// <param name="Database">Identifies the database: equal for all addresses of the same database.</param>
/// <param name="Login">The session's user; null on SQLite.</param>
/// <param name="Process">Id of the connection's server process; 0 on SQLite. The process can exist for a moment after
/// the connection is closed.</param>
/// <param name="Pooled">True if the connection goes through a pooler.</param>
public sealed record Place(string Database, string? Login, int Process, bool Pooled);

/// <summary>The service as a client of the checked database.</summary>
/// <param name="Settings">Address and pool of the service.</param>
/// <param name="Place">The service's database; null if it is unreachable or is not the checked database.</param>
/// <param name="Role">The role that the service's statements run as.</param>
public sealed record Client(DatabaseSettings Settings, Place? Place, string Role);

/// <summary>The engine-specific checks of a database. They change nothing.</summary>
public abstract class EngineDoctor
{
    /// <summary>Identifies the database of a connection.</summary>
    internal abstract Task<Place> Locate(DbConnection connection, CancellationToken ct);

    /// <summary>Creates the checks for a database's engine.</summary>
    public static EngineDoctor For(MigrationDatabase database) => database.Settings.Engine == DatabaseEngine.Postgres
        ? new PostgresDoctor(new(database.Settings.Schema))
        : new SqliteDoctor(database.Settings.SqlitePath!);

    /// <summary>Runs all checks except those of the schema's status.</summary>
    internal abstract Task Check(DbConnection connection, Client service, DoctorThresholds limits, DoctorReport report,
        CancellationToken ct);

    /// <summary>
    /// Runs one check, which cannot change data, with a time limit. If the check exceeds the limit or the server
    /// rejects a statement, the report gets a note.
    /// </summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="subject">What is checked, as the beginning of a sentence.</param>
    /// <param name="check">The check.</param>
    /// <param name="report">Receives the note.</param>
    /// <param name="ct">Cancels the operation.</param>
    internal abstract Task RunCheck(DbConnection connection, string subject, Func<Task> check, DoctorReport report, CancellationToken ct);
}
