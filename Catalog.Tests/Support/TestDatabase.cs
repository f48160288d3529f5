using System.Collections.Concurrent;
using Catalog.Data.Database;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Dapper;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Catalog.Tests.Support;

/// <summary>
/// A new database for one test class. Without the engine, tests are skipped on a developer's machine and fail in CI:
/// see <see cref="Require"/>.
/// </summary>
public abstract class TestDatabase : IAsyncLifetime
{
    private readonly Dictionary<string, CatalogApp> _apps = new(StringComparer.Ordinal);

    /// <summary>The value of DATAXPIPE_DB for the database's owner.</summary>
    public abstract string Address { get; }

    /// <summary>The value of the service's DATAXPIPE_DB: as in production, a login that owns nothing.</summary>
    public virtual string ServiceAddress => Address;

    protected virtual string? Unavailable => null;

    public DatabaseSettings Settings => Read(Address);

    /// <summary>The database with the schema at head. It is opened on first use.</summary>
    public CatalogDatabase Database => field ??= DatabaseFactory.Open(Settings);

    /// <summary>
    /// Test constructors call this. Without a server, tests are skipped on a developer's machine and fail in CI.
    /// </summary>
    public TestDatabase Require()
    {
        if (Unavailable is { } reason)
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") is null or "" or "false", reason);
            Assert.Fail(reason);
        }

        return this;
    }

    /// <summary>
    /// The shared service with this database and these settings. It ends with the database. A test that needs its own
    /// service creates it.
    /// </summary>
    public CatalogApp SharedService(params (string Name, string Value)[] settings)
    {
        var key = string.Join('\n', settings.Select(setting => $"{setting.Name}={setting.Value}"));
        return _apps.TryGetValue(key, out var app) ? app : _apps[key] = new CatalogApp(Require(), settings);
    }

    /// <summary>Ends a service whose state a test has changed. The next test gets a new one.</summary>
    public void StopService(CatalogApp app)
    {
        _apps.Remove(_apps.Single(entry => entry.Value == app).Key);
        app.Dispose();
    }

    public abstract ValueTask InitializeAsync();

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var app in _apps.Values)
        {
            await app.DisposeAsync();
        }

        if (Unavailable is null)
        {
            await Database.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    public static DatabaseSettings Read(string address, params (string Name, string Value)[] settings) =>
        DatabaseSettings.Read(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Append(("DATAXPIPE_DB", address)).ToDictionary(setting => setting.Item1, setting =>
            (string?)setting.Item2)).Build());

    public static async Task Migrate(string address)
    {
        await using var database = MigrationDatabase.Open(Read(address));
        await new Migrator(database, Chain.BuiltIn(database.Dialect.Folder), TimeProvider.System)
        {
            AppRole = DatabaseSettings.DefaultAppRole
        }.Upgrade(Chain.Head, again: false, CancellationToken.None);
    }
}

/// <summary>A temporary file. An in-memory database would hide locking and pooling.</summary>
public sealed class SqliteTestDatabase : TestDatabase
{
    private static readonly Lazy<Task<string>> Template = new(CreateTemplate);
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-sqlite-").FullName;

    public override string Address => Path.Combine(_directory, "catalog.db");

    public override async ValueTask InitializeAsync() => await AtHead(Address);

    /// <summary>Creates a file with the schema at head: a copy of a migrated file.</summary>
    public static async Task AtHead(string path) => File.Copy(await Template.Value, path);

    private static async Task<string> CreateTemplate()
    {
        var directory = Directory.CreateTempSubdirectory("catalog-template-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(directory, recursive: true);
        var path = Path.Combine(directory, "catalog.db");
        await Migrate(path);
        // Rows in the write-ahead log beside the file would not be copied.
        return File.Exists(path + "-wal") ? throw new InvalidOperationException("The template is still open.") : path;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        // A readiness probe of a stopped service may still close the database, and then creates a file in this
        // directory. The delete fails in that case and is tried again.
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

/// <summary>A new database on the shared server, copied from a migrated template.</summary>
public sealed class PostgresTestDatabase : TestDatabase
{
    private const string ServiceLogin = "catalog_test_service";
    private const string Owner = "catalog_test_owner";
    private static bool _roles;
    private static readonly SemaphoreSlim TemplateTurn = new(1, 1);
    private static readonly SemaphoreSlim RolesTurn = new(1, 1);
    private static readonly ConcurrentBag<string> DroppedAtExit = [];
    private static readonly Dictionary<bool, string> Templates = [];
    private readonly string _name = $"catalog_{Guid.NewGuid():N}";

    protected override string? Unavailable => PostgresServer.Shared.Unavailable;

    public override string Address => DedicatedPostgres.WithUser(AddressOf(_name), Owner, Owner);

    /// <summary>The address as a superuser, for the set-up of a test.</summary>
    public string SuperuserAddress => AddressOf(_name);

    // Without an organization this login sees no rows. So tests find statements that do not set the organization.
    public override string ServiceAddress => DedicatedPostgres.WithUser(Address, ServiceLogin, ServiceLogin);

    public override async ValueTask InitializeAsync()
    {
        if (Unavailable is null)
        {
            await Execute($"create database {_name} template {await Template(superuser: false)} owner {Owner}");
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

    /// <summary>
    /// Creates a database without tables. Its owner may only create databases. It is dropped when the tests end.
    /// </summary>
    /// <param name="prefix">The beginning of its name.</param>
    /// <param name="superuser">Whether the address has a superuser, for the set-up of a test.</param>
    /// <returns>Its address.</returns>
    public static async Task<string> Empty(string prefix, bool superuser = false)
    {
        await CreateRoles();
        return await Create(prefix, superuser, "template1");
    }

    /// <summary>Creates a database with the schema at head, otherwise as <see cref="Empty"/>.</summary>
    /// <inheritdoc cref="Empty"/>
    public static async Task<string> AtHead(string prefix, bool superuser = false) =>
        await Create(prefix, superuser, await Template(superuser));

    private static async Task<string> Create(string prefix, bool superuser, string template)
    {
        var name = $"{prefix}_{Guid.NewGuid():N}";
        await Execute($"create database {name} template {template}{(superuser ? "" : $" owner {Owner}")}");
        // A server at POSTGRES_DSN is not ours: leave no database there.
        if (DroppedAtExit.IsEmpty)
        {
            AppDomain.CurrentDomain.ProcessExit += (_, _) => DropAtExit().GetAwaiter().GetResult();
        }

        DroppedAtExit.Add(name);
        return superuser ? AddressOf(name) : DedicatedPostgres.WithUser(AddressOf(name), Owner, Owner);
    }

    // Creates the server's roles, as an administrator does before the first migration.
    private static async Task CreateRoles()
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

    private static async Task DropAtExit()
    {
        foreach (var name in DroppedAtExit)
        {
            try
            {
                await Execute($"drop database if exists {name} with (force)");
            }
            catch (NpgsqlException)
            {
                // The temporary server has already ended, and its databases with it.
                return;
            }
        }
    }

    private static async Task<string> Template(bool superuser)
    {
        await CreateRoles();
        await TemplateTurn.WaitAsync();
        try
        {
            if (!Templates.TryGetValue(superuser, out var template))
            {
                var address = await Empty("catalog_template", superuser);
                await Migrate(address);
                template = new Uri(address).AbsolutePath.TrimStart('/');
                await CitusServer.DistributeTemplate(address, template);
                Templates[superuser] = template;
            }

            return template;
        }
        finally
        {
            TemplateTurn.Release();
        }
    }
}
