using Catalog.Data.Database;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Support;

/// <summary>
/// A cluster whose roles, TLS and log-in rules a test class may change. It has pg_stat_statements loaded.
/// </summary>
public sealed class DedicatedPostgres : IAsyncLifetime
{
    private PostgresCluster? _server;
    private string? _template;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _server = PostgresCluster.Start(fsync: false, "shared_preload_libraries=pg_stat_statements", "max_prepared_transactions=5");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _server?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Test constructors call this. Without the server programs, tests are skipped on a developer's machine and fail in
    /// CI.
    /// </summary>
    public DedicatedPostgres Require()
    {
        _server!.Require();
        return this;
    }

    /// <summary>Creates a database without tables.</summary>
    /// <returns>Its address as the superuser.</returns>
    public async Task<string> Empty()
    {
        var name = Name("d");
        await Execute(Address("postgres"), $"create database {name}");
        return Address(name);
    }

    /// <summary>Creates a database with the schema at head.</summary>
    /// <returns>Its address as the superuser, which owns the tables.</returns>
    public async Task<string> AtHead()
    {
        if (_template is null)
        {
            var template = await Empty();
            await TestDatabase.Migrate(template);
            _template = new Uri(template).AbsolutePath.TrimStart('/');
        }

        var name = Name("d");
        await Execute(Address("postgres"), $"create database {name} template {_template}");
        return Address(name);
    }

    /// <summary>Creates a login.</summary>
    /// <param name="rights">The options after <c>create role NAME login</c>.</param>
    /// <returns>The login's name.</returns>
    public async Task<string> Login(string rights = "")
    {
        var name = Name("u");
        await Execute(Address("postgres"), $"create role {name} login {rights}");
        return name;
    }

    public string Address(string database) => new UriBuilder(_server!.Uri) { Path = database }.Uri.ToString();

    /// <summary>
    /// The same database with another user. Null: the password is the user's name, as for all logins of tests. The
    /// server may require a password.
    /// </summary>
    public static string WithUser(string address, string user, string? password = null) =>
        new UriBuilder(address) { UserName = user, Password = password ?? user }.Uri.ToString();

    public static string Name(string prefix) => $"{prefix}_{Guid.NewGuid():N}"[..16];

    /// <summary>Runs statements, each as its own command, outside a transaction.</summary>
    public static async Task Execute(string address, params string[] statements)
    {
        await using var connection = await Open(address);
        foreach (var sql in statements)
        {
            await connection.ExecuteAsync(sql);
        }
    }

    public static async Task<T> Scalar<T>(string address, string sql, object? parameters = null)
    {
        await using var connection = await Open(address);
        return (await connection.ExecuteScalarAsync<T>(sql, parameters))!;
    }

    /// <summary>Opens a connection without a pool.</summary>
    public static async Task<NpgsqlConnection> Open(string address, string application = "test")
    {
        var settings = PostgresUri.Parse("address", address);
        (settings.Pooling, settings.CommandTimeout, settings.ApplicationName) = (false, 0, application);
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(Ct);
        return connection;
    }

    /// <summary>Starts a long statement on its own connection, without waiting for its end.</summary>
    public static async Task<RunningStatement> Begin(string address, string sql, string application = "test")
    {
        var connection = await Open(address, application);
        var stop = new CancellationTokenSource();
        return new(connection, connection.ExecuteAsync(new CommandDefinition(sql, cancellationToken: stop.Token)), stop);
    }

    /// <summary>Waits until an SQL condition is true, at most about ten seconds.</summary>
    public static async Task Until(string address, string condition)
    {
        await using var connection = await Open(address);
        for (var i = 0; !await connection.ExecuteScalarAsync<bool>($"select {condition}"); i++)
        {
            Assert.True(i < 200, condition);
            await Task.Delay(50, Ct);
        }
    }
}

/// <summary>
/// A running statement. It is cancelled when a test ends: a failed test would otherwise wait for its own locks.
/// </summary>
public sealed class RunningStatement(NpgsqlConnection connection, Task done, CancellationTokenSource stop) : IAsyncDisposable
{
    public NpgsqlConnection Connection => connection;

    public int Pid => connection.ProcessID;

    /// <summary>Completes when the statement ends.</summary>
    public Task Done => done;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await done.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await connection.DisposeAsync();
        stop.Dispose();
    }
}

/// <summary>The test classes that share the cluster. They run one after the other.</summary>
[CollectionDefinition(nameof(DedicatedPostgres))]
public sealed class SharesDedicatedPostgres : ICollectionFixture<DedicatedPostgres>;
