using System.Data.Common;
using Catalog.Data.Database;
using Catalog.Data.Migrations;

namespace Catalog.Migrations.Doctor;

/// <summary>Where a connection leads.</summary>
/// <param name="Database">The same for two addresses of one database, and for no others.</param>
/// <param name="Login">The user that the server sees; null where there are none.</param>
/// <param name="Process">The server process that was asked, which may outlive its connection by a moment; 0 where there are none.</param>
/// <param name="Pooled">Whether a pooler stands between, whose limits are not the server's.</param>
public sealed record Place(string Database, string? Login, int Process, bool Pooled);

/// <summary>What the service brings to the database that it is examined against.</summary>
/// <param name="Settings">Its address and pool.</param>
/// <param name="Place">Where that leads; null when it cannot be reached, or leads to another database.</param>
/// <param name="Role">The role that its statements run as.</param>
public sealed record Client(DatabaseSettings Settings, Place? Place, string Role);

/// <summary>Looks at a database from all sides and changes nothing. Each engine has its own.</summary>
public abstract class EngineDoctor
{
    /// <summary>Where the connection leads.</summary>
    internal abstract Task<Place> Locate(DbConnection connection, CancellationToken ct);

    /// <summary>The engine's.</summary>
    public static EngineDoctor For(MigrationDatabase database) => database.Settings.Engine == DatabaseEngine.Postgres
        ? new PostgresDoctor(new(database.Settings.Schema))
        : new SqliteDoctor(database.Settings.SqlitePath!);

    /// <summary>Looks at everything but the schema's standing.</summary>
    internal abstract Task Look(DbConnection connection, Client service, DoctorThresholds limits, DoctorReport examined, CancellationToken ct);

    /// <summary>Does part of the work where it can change nothing and cannot last; a part that fails leaves a note, and the others go on.</summary>
    /// <param name="connection">Open.</param>
    /// <param name="what">What the part looks at, as the beginning of a sentence.</param>
    /// <param name="part">The work.</param>
    /// <param name="examined">Takes the note.</param>
    /// <param name="ct">Stops.</param>
    internal abstract Task Part(DbConnection connection, string what, Func<Task> part, DoctorReport examined, CancellationToken ct);
}
