using Catalog.Data.Database;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Support;

/// <summary>A cluster that a test class may do anything to: roles, TLS, who may log in how. It measures statements.</summary>
public sealed class OwnPostgres : IAsyncLifetime
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

    /// <summary>Called in test constructors: without the server's programs a laptop skips and CI fails.</summary>
    public OwnPostgres Require()
    {
        _server!.Require();
        return this;
    }

    /// <summary>Makes a database without any table.</summary>
    /// <returns>Its address as the superuser.</returns>
    public async Task<string> Empty()
    {
        var name = Name("d");
        await Execute(Address("postgres"), $"create database {name}");
        return Address(name);
    }

    /// <summary>Makes a database with the schema at head.</summary>
    /// <returns>Its address as the superuser, who owns the tables.</returns>
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

    /// <summary>Makes a login.</summary>
    /// <param name="rights">As after <c>create role NAME login</c>.</param>
    public async Task<string> Login(string rights = "")
    {
        var name = Name("u");
        await Execute(Address("postgres"), $"create role {name} login {rights}");
        return name;
    }

    public string Address(string database) => new UriBuilder(_server!.Uri) { Path = database }.Uri.ToString();

    /// <summary>
    /// The same database by another user. Without a password it is the user's name, which is what the logins of tests have, as the
    /// server may ask for one.
    /// </summary>
    public static string As(string address, string user, string? password = null) =>
        new UriBuilder(address) { UserName = user, Password = password ?? user }.Uri.ToString();

    public static string Name(string prefix) => $"{prefix}_{Guid.NewGuid():N}"[..16];

    /// <summary>Runs statements, one command each, outside a transaction.</summary>
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

    /// <summary>A connection of its own.</summary>
    public static async Task<NpgsqlConnection> Open(string address, string application = "test")
    {
        var settings = PostgresUri.Parse("address", address);
        (settings.Pooling, settings.CommandTimeout, settings.ApplicationName) = (false, 0, application);
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(Ct);
        return connection;
    }

    /// <summary>Begins a statement that lasts, on a connection of its own.</summary>
    public static async Task<LastingStatement> Begin(string address, string sql, string application = "test")
    {
        var connection = await Open(address, application);
        var stop = new CancellationTokenSource();
        return new(connection, connection.ExecuteAsync(new CommandDefinition(sql, cancellationToken: stop.Token)), stop);
    }

    /// <summary>Waits until a condition on the server holds, at most ten seconds.</summary>
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

/// <summary>A statement under way; it is cancelled at the end of a test, which otherwise, when it fails, would wait for locks that it holds itself.</summary>
public sealed class LastingStatement(NpgsqlConnection connection, Task done, CancellationTokenSource stop) : IAsyncDisposable
{
    public NpgsqlConnection Connection => connection;

    public int Pid => connection.ProcessID;

    /// <summary>Ends with the statement.</summary>
    public Task Done => done;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await done.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await connection.DisposeAsync();
        stop.Dispose();
    }
}

/// <summary>Those that share the cluster, one after the other.</summary>
[CollectionDefinition(nameof(OwnPostgres))]
public sealed class SharesOwnPostgres : ICollectionFixture<OwnPostgres>;
