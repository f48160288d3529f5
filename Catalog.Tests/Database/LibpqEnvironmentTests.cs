using System.Net.Sockets;
using Catalog.Data.Database.Postgres;
using Catalog.Data.Migrations;
using Catalog.Migrations.Backup;
using Catalog.Tests.Support;
using Dapper;

namespace Catalog.Tests.Database;

/// <summary>
/// For every form of the service's address, the Postgres programs connect to the same server and database.
/// </summary>
public sealed class LibpqEnvironmentTests : IDisposable
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private readonly PostgresCluster _server = PostgresCluster.Start(fsync: false, Socket.OSSupportsIPv6
        ? "listen_addresses=127.0.0.1,::1" : "listen_addresses=127.0.0.1");

    [Fact]
    public async Task The_Postgres_programs_reach_the_same_server_as_the_driver()
    {
        _server.Require();
        var port = new Uri(_server.Uri).Port;
        await DedicatedPostgres.Execute(
            _server.Uri, "create role \"a@da:/?\" login superuser password 'p@:/?%w'", "create database \"d b/&ü\"",
            "create schema catalog");
        var socket = await DedicatedPostgres.Scalar<string>(_server.Uri, "select current_setting('unix_socket_directories')");
        string[] addresses =
        [
            $"postgresql://postgres@127.0.0.1:{port}/postgres",
            $"postgresql://postgres@localhost:{port}/postgres?sslmode=disable&options=-c%20work_mem%3D8MB",
            $"postgresql://postgres@127.0.0.1:1,127.0.0.1:{port}/postgres?target_session_attrs=primary",
            $"postgresql://a%40da%3A%2F%3F:p%40%3A%2F%3F%25w@127.0.0.1:{port}/d%20b%2F%26%C3%BC",
            $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres",
            $"host=127.0.0.1 port={port} user=postgres dbname='d b/&ü'",
            $"postgresql://postgres@/postgres?host={socket}&port={port}",
            $"postgresql://postgres@127.0.0.1:1,{Uri.EscapeDataString(socket)}:{port}/postgres",
            $"postgresql://postgres@127.0.0.1:{port}/postgres?schema=catalog",
            .. Socket.OSSupportsIPv6 ?
            [
                $"postgresql://postgres@[::1]:{port}/postgres",
                $"postgresql://postgres@127.0.0.1:1,[::1]:{port}/postgres?target_session_attrs=primary",
                $"postgresql://postgres@/postgres?host=::1,127.0.0.1&port={port},1",
            ] : Array.Empty<string>(),
        ];
        const string Where =
            "select concat_ws('|', current_database(), current_user, inet_server_addr(), inet_server_port(), current_schema(), "
                + "current_setting('work_mem'), current_setting('datestyle'), current_setting('timezone'))";
        foreach (var address in addresses)
        {
            var settings = TestDatabase.Read(address);
            await using var database = MigrationDatabase.Open(settings);
            await using var connection = await database.Source.OpenConnectionAsync(Ct);
            var expected = await connection.ExecuteScalarAsync<string>(Where);

            Assert.Equal(expected, await Psql(LibpqEnvironment.EnvironmentVariables(settings, connection), Where));
            await using var again = MigrationDatabase.Open(
                TestDatabase.Read(LibpqEnvironment.Uri(settings, connection, connection.Database)));
            await using var reached = await again.Source.OpenConnectionAsync(Ct);
            Assert.Equal(expected, await reached.ExecuteScalarAsync<string>(Where));
        }
    }

    public void Dispose() => _server.Dispose();

    private static async Task<string> Psql(IReadOnlyDictionary<string, string?> variables, string sql)
    {
        var text = "";
        var result = await PostgresPrograms.Run(PostgresPrograms.Find("psql"),
            ["--no-psqlrc", "--no-password", "--tuples-only", "--no-align", $"--command={sql}"], variables, null, async output =>
        {
            using var reader = new StreamReader(output);
            text = (await reader.ReadToEndAsync(Ct)).Trim();
        }, Ct);
        Assert.True(result.Exit == 0, result.ErrorMessage);
        return text;
    }
}
