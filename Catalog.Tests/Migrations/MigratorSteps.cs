using Catalog.Data.Migrations;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Migrations;

/// <summary>Commands of the migrator for tests on empty databases.</summary>
/// <param name="engine">sqlite or postgres.</param>
public abstract class MigratorSteps(string engine) : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-migrations-").FullName;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected bool IsPostgres => engine == "postgres";

    protected TestChain Folder { get; } = new();

    protected Task<string> EmptyDatabase() => IsPostgres
        ? PostgresTestDatabase.Empty("catalog_empty") : Task.FromResult(Path.Combine(_directory, $"{Guid.NewGuid():N}.db"));

    protected string DbUpJournal => IsPostgres
        ? """create table schemaversions (schemaversionsid serial not null, scriptname character varying(255) not null, applied timestamp without time zone not null, constraint "PK_schemaversions_Id" primary key (schemaversionsid))"""
        : "create table SchemaVersions (SchemaVersionID INTEGER CONSTRAINT 'PK_SchemaVersions_SchemaVersionID' PRIMARY KEY "
            + "AUTOINCREMENT NOT NULL, ScriptName TEXT NOT NULL, Applied DATETIME NOT NULL)";

    protected static string[] Head => [.. Data.Migrations.Chain.BuiltIn("postgres").Scripts.Select(script => script.Name)];

    protected static string[] Names(IEnumerable<MigrationStep> steps) => [.. steps.Select(step => step.Revision)];

    protected static Chain Chain(string address, TestChain? scripts)
    {
        var folder = address.StartsWith("postgres", StringComparison.Ordinal) ? "postgres" : "sqlite";
        return scripts is null ? Data.Migrations.Chain.BuiltIn(folder) : Data.Migrations.Chain.From(scripts.Path, folder);
    }

    protected static async Task<T> With<T>(string address, TestChain? scripts, Func<Migrator, Task<T>> work)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        return await work(new Migrator(database, Chain(address, scripts), TimeProvider.System));
    }

    protected static Task<List<MigrationStep>> Upgrade(string address, string target = "head", TestChain? scripts = null) =>
        With(address, scripts, migrator => migrator.Upgrade(target, again: false, Ct));

    protected Task<List<MigrationStep>> Downgrade(string address, string target) => Downgrade(address, target, Folder);

    protected static Task<List<MigrationStep>> Downgrade(string address, string target, TestChain? scripts) =>
        With(address, scripts, migrator => migrator.Downgrade(target, again: false, Ct));

    protected Task<string> Stamp(string address, string target, bool force = false) =>
        With(address, force && target == "0004" ? Folder : null, migrator => migrator.Stamp(target, force, Ct));

    protected Task<IReadOnlyList<string>> Clear(string address) => With(address, Folder, migrator => migrator.Clear(force: false, Ct));

    protected static Task<SchemaStatus> Look(string address, TestChain? scripts = null) =>
        With(address, scripts, migrator => migrator.ReadStatus(Ct));

    protected static Task<string> Fingerprint(string address, TestChain? scripts) =>
        With(address, scripts, async migrator => SchemaDescription.Fingerprint(await migrator.Describe(Ct)));

    protected static async Task Execute(string address, string sql)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await connection.ExecuteAsync(sql);
    }

    protected static async Task<List<T>> Query<T>(string address, string sql)
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return (await connection.QueryAsync<T>(sql)).AsList();
    }

    public void Dispose()
    {
        Folder.Dispose();
        Directory.Delete(_directory, recursive: true);
        GC.SuppressFinalize(this);
    }
}
