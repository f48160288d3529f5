using Catalog.Data.Migrations;
using Catalog.Migrations.Doctor;
using Catalog.Tests.Support;
using Dapper;
using Npgsql;

namespace Catalog.Tests.Verbs;

public sealed class KillVerbTests : IClassFixture<PostgresTestDatabase>
{
    private readonly string _address;

    public KillVerbTests(PostgresTestDatabase database)
    {
        database.Require();
        _address = database.SuperuserAddress;
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_statement_is_shown_and_ended_after_confirmation()
    {
        await using var statement = await DedicatedPostgres.Begin(_address, "select pg_sleep(60)", "batch");
        await UntilAsleep(statement);

        var unconfirmed = await Console("kill", $"{statement.Pid}");
        Assert.Equal(2, unconfirmed.Exit);
        Assert.Contains("add --yes", unconfirmed.Errors);
        Assert.False(statement.Done.IsCompleted);

        var run = await Console("kill", $"{statement.Pid}", "--yes");

        Assert.Equal(0, run.Exit);
        Assert.Contains("select pg_sleep(60)", run.Output);
        Assert.Contains("batch", run.Output);
        Assert.Contains($"The statement of process {statement.Pid} has ended.", run.Output);
        Assert.Equal("57014", (await Assert.ThrowsAsync<PostgresException>(() => statement.Done)).SqlState);
        Assert.Equal(1, await statement.Connection.ExecuteScalarAsync<int>("select 1"));
    }

    [Fact]
    public async Task An_idle_transaction_is_ended_with_its_connection()
    {
        await using var client = await DedicatedPostgres.Open(_address);
        await using var open = await client.BeginTransactionAsync(Ct);
        await client.ExecuteAsync("lock table runs", transaction: open);

        var statement = await Console("kill", $"{client.ProcessID}", "--yes");
        Assert.Equal(2, statement.Exit);
        Assert.Contains("add --connection", statement.Errors);

        var run = await Console("kill", $"{client.ProcessID}", "--connection", "--yes", "--json");
        Assert.Equal(0, run.Exit);
        Assert.Equal(("connection", true), (run.Json.GetProperty("what").GetString(), run.Json.GetProperty("ended").GetBoolean()));
        Assert.Equal("lock table runs", run.Json.GetProperty("process").GetProperty("query").GetString());
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => client.ExecuteAsync("select 1"));
        await DedicatedPostgres.Execute(_address, "begin; set local lock_timeout = '1s'; lock table runs; commit");
    }

    [Fact]
    public async Task Processes_that_must_not_be_ended_are_refused()
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(_address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        async Task<string> Refusal(int pid)
        {
            var refused = await Assert.ThrowsAsync<MigrationException>(() => PostgresProcesses.Find(connection, pid, Ct));
            Assert.Equal(MigrationFault.UnknownTarget, refused.Fault);
            return refused.Message;
        }

        await using var elsewhere = await DedicatedPostgres.Open(PostgresTestDatabase.AddressOf("postgres"));
        Assert.Contains("another database (postgres)", await Refusal(elsewhere.ProcessID));
        Assert.Contains("belongs to this command itself", await Refusal(((NpgsqlConnection)connection).ProcessID));
        Assert.Contains("no process", await Refusal(2_147_483_647));
        Assert.Contains(
            "the server itself (checkpointer)", await Refusal(
                await connection.ExecuteScalarAsync<int>("select pid from pg_stat_activity where backend_type = 'checkpointer'")));
    }

    [Fact]
    public async Task A_later_statement_of_the_same_process_is_not_ended()
    {
        await using var database = MigrationDatabase.Open(TestDatabase.Read(_address));
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await using var client = await DedicatedPostgres.Begin(_address, "select pg_sleep(0.3)");
        await UntilAsleep(client);
        var shown = await PostgresProcesses.Find(connection, client.Pid, Ct);
        await client.Done;
        var second = client.Connection.ExecuteAsync("select pg_sleep(1)");
        await UntilAsleep(client);
        var ended = await PostgresProcesses.End(connection, shown, wholeConnection: false, Ct);
        await second;

        Assert.Null(ended);
    }

    [Fact]
    public async Task A_missing_right_is_reported_with_the_role_that_has_it()
    {
        var login = DedicatedPostgres.Name("u");
        await DedicatedPostgres.Execute(_address, $"create role {login} login password '{login}'");
        await using var statement = await DedicatedPostgres.Begin(_address, "select pg_sleep(60)");
        await UntilAsleep(statement);
        try
        {
            await using var database = MigrationDatabase.Open(TestDatabase.Read(DedicatedPostgres.WithUser(_address, login)));
            await using var connection = await database.Source.OpenConnectionAsync(Ct);
            var hidden = await PostgresProcesses.Find(connection, statement.Pid, Ct);

            Assert.Null(hidden.State);
            Assert.Contains(
                "pg_signal_backend",
                (await Assert.ThrowsAsync<MigrationException>(() =>
                    PostgresProcesses.End(connection, hidden, wholeConnection: false, Ct))).Message);
            Assert.False(statement.Done.IsCompleted);
        }
        finally
        {
            await DedicatedPostgres.Execute(_address, $"drop owned by {login}", $"drop role {login}");
        }
    }

    [Fact]
    public async Task SQLite_has_no_processes_to_end()
    {
        var run = await MigratorConsole.Run(Path.Combine(Path.GetTempPath(), "catalog-kill.db"), "kill", "1", "--yes");

        Assert.Equal(2, run.Exit);
        Assert.Contains("no server processes", run.Errors);
    }

    private Task<ConsoleResult> Console(params string[] arguments) => MigratorConsole.Run(_address, arguments);

    private Task UntilAsleep(RunningStatement statement) =>
        DedicatedPostgres.Until(
            _address, $"exists (select from pg_stat_activity where pid = {statement.Pid} and state = 'active' and wait_event = 'PgSleep')");
}
