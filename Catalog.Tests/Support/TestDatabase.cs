using System.Collections.Concurrent;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Dapper;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Catalog.Tests.Support;

/// <summary>A fresh database for one test class. Skips on a laptop and fails in CI where the engine is missing: see <see cref="Require"/>.</summary>
public abstract class TestDatabase : IAsyncLifetime
{
    /// <summary>What DATAXPIPE_DB would say.</summary>
    public abstract string Address { get; }

    /// <summary>What the service's DATAXPIPE_DB says: as production has it, a login that owns nothing.</summary>
    public virtual string ServiceAddress => Address;

    protected virtual string? Unavailable => null;

    public DatabaseSettings Settings => Read(Address);

    /// <summary>The database, with the schema at head; opened when first asked for.</summary>
    public CatalogDatabase Database => field ??= Databases.Open(Settings);

    /// <summary>Called in test constructors: a missing server skips here and fails there, where nothing may go quietly untested.</summary>
    public TestDatabase Require()
    {
        if (Unavailable is { } reason)
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is null or "" or "false", reason);
            Assert.Fail(reason);
        }

        return this;
    }

    public abstract ValueTask InitializeAsync();

    public virtual async ValueTask DisposeAsync()
    {
        if (Unavailable is null)
        {
            await Database.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    public static DatabaseSettings Read(string address, params (string Name, string Value)[] settings) => DatabaseSettings.Read(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Append(("DATAXPIPE_DB", address)).ToDictionary(setting => setting.Item1, setting => (string?)setting.Item2)).Build());

    public static async Task Migrate(string address)
    {
        await using var database = MigrationDatabase.Open(Read(address));
        await new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System) { AppRole = DatabaseSettings.DefaultAppRole }.Upgrade(Chain.Head, again: false, CancellationToken.None);
    }
}

/// <summary>A temporary file; in-memory would hide locking and pooling.</summary>
public sealed class SqliteTestDatabase : TestDatabase
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-sqlite-").FullName;

    public override string Address => Path.Combine(_directory, "catalog.db");

    public override async ValueTask InitializeAsync() => await Migrate(Address);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        // A probe of a service that has just stopped may still close its file, and makes one meanwhile.
        for (var tries = 0; Directory.Exists(_directory); tries++)
        {
            try
            {
                Directory.Delete(_directory, recursive: true);
            }
            catch (IOException) when (tries < 20)
            {
                await Task.Delay(100);
            }
        }
    }
}

/// <summary>A database of its own on the shared server, copied from a template that has had the migrations once.</summary>
public sealed class PostgresTestDatabase : TestDatabase
{
    private const string ServiceLogin = "catalog_test_service";
    private const string Owner = "catalog_test_owner";
    private static bool _roles;
    private static readonly SemaphoreSlim TemplateTurn = new(1, 1);
    private static readonly SemaphoreSlim RolesTurn = new(1, 1);
    private static readonly ConcurrentBag<string> LeftAtExit = [];
    private static string? _template;
    private readonly string _name = $"catalog_{Guid.NewGuid():N}";

    protected override string? Unavailable => PostgresServer.Shared.Unavailable;

    public override string Address => OwnPostgres.As(AddressOf(_name), Owner, Owner);

    /// <summary>By a superuser, for a test that needs one beside what is tested.</summary>
    public string SuperuserAddress => AddressOf(_name);

    // Without a context such a login finds nothing, so a statement that forgets it fails its tests.
    public override string ServiceAddress => OwnPostgres.As(Address, ServiceLogin, ServiceLogin);

    public override async ValueTask InitializeAsync()
    {
        if (Unavailable is null)
        {
            await Execute($"create database {_name} template {await Template()} owner {Owner}");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (Unavailable is null)
        {
            await Execute($"drop database {_name} with (force)");
        }
    }

    public static string AddressOf(string database)
    {
        var server = new UriBuilder(PostgresServer.Shared.Uri) { Path = database };
        return server.Uri.ToString();
    }

    public static async Task Execute(string sql)
    {
        var settings = PostgresUri.Parse("POSTGRES_DSN", PostgresServer.Shared.Uri);
        settings.Pooling = false;
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.ExecuteAsync(sql);
    }

    /// <summary>Makes a database without any table, owned by a login that may make databases and nothing more; it is dropped when the tests end.</summary>
    /// <param name="prefix">What its name begins with.</param>
    /// <param name="superuser">Whether the address is a superuser's, for a test that needs one beside what is tested.</param>
    /// <returns>Its address.</returns>
    public static async Task<string> Empty(string prefix, bool superuser = false)
    {
        var name = $"{prefix}_{Guid.NewGuid():N}";
        await Roles();
        await Execute($"create database {name}{(superuser ? "" : $" owner {Owner}")}");
        // A server that was lent (POSTGRES_DSN) is left as it was found.
        if (LeftAtExit.IsEmpty)
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) => DropLeft().GetAwaiter().GetResult();
        }

        LeftAtExit.Add(name);
        return superuser ? AddressOf(name) : OwnPostgres.As(AddressOf(name), Owner, Owner);
    }

    // The roles of the whole server, as an administrator makes them before the first migration.
    private static async Task Roles()
    {
        await RolesTurn.WaitAsync();
        try
        {
            if (!_roles)
            {
                await Execute($"""
                    {PostgresGrants.CreateRole(DatabaseSettings.DefaultAppRole)};
                    do $$ begin
                        if not exists (select from pg_roles where rolname = '{Owner}') then create role {Owner} login createdb password '{Owner}'; end if;
                        if not exists (select from pg_roles where rolname = '{ServiceLogin}') then create role {ServiceLogin} login password '{ServiceLogin}'; end if;
                    end $$;
                    {PostgresGrants.GrantMembership(DatabaseSettings.DefaultAppRole, Owner)};
                    {PostgresGrants.GrantMembership(DatabaseSettings.DefaultAppRole, ServiceLogin)}
                    """);
                _roles = true;
            }
        }
        finally
        {
            RolesTurn.Release();
        }
    }

    private static async Task DropLeft()
    {
        foreach (var name in LeftAtExit)
        {
            try
            {
                await Execute($"drop database if exists {name} with (force)");
            }
            catch (NpgsqlException)
            {
                // The throw-away server has ended before, and its databases with it.
                return;
            }
        }
    }

    private static async Task<string> Template()
    {
        await Roles();
        await TemplateTurn.WaitAsync();
        try
        {
            if (_template is null)
            {
                var address = await Empty("catalog_template");
                await Migrate(address);
                _template = new Uri(address).AbsolutePath.TrimStart('/');
            }

            return _template;
        }
        finally
        {
            TemplateTurn.Release();
        }
    }
}
