using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Catalog.Tests.Support;

namespace Catalog.Tests.Operations;

/// <summary>A start-up error is one line that states what to do, without a stack trace or a password.</summary>
public sealed class StartErrorTests(PostgresTestDatabase postgres) : IClassFixture<PostgresTestDatabase>, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-start-").FullName;

    [Fact]
    public async Task A_file_that_is_not_a_database_stops_the_start()
    {
        var file = Path.Combine(_directory, "text.db");
        await File.WriteAllTextAsync(file, new string('x', 5000), TestContext.Current.CancellationToken);

        await Refused("not a SQLite database", ("DATAXPIPE_DB", file));
    }

    [Theory]
    [InlineData("DATAXPIPE_DB", "postgresql://u:c4nary@h:port/d", "DATAXPIPE_DB")]
    [InlineData("DATAXPIPE_DB", "Host=h;Passwort=c4nary", "DATAXPIPE_DB")]
    [InlineData("DATABASE__PASSWORD", "c4nary", "DATABASE__HOST")]
    [InlineData("DATAXPIPE_PG_POOL_MAX", "0", "DATAXPIPE_PG_POOL_MAX")]
    [InlineData("DATAXPIPE_PLATFORM_KEY", "c4nary", "DATAXPIPE_PLATFORM_KEY")]
    [InlineData("DATAXPIPE_SECRET_KEY", "c4nary", "DATAXPIPE_SECRET_KEY")]
    [InlineData("DATAXPIPE_DB", "\"catalog.db\"", "DATAXPIPE_DB is in quotes")]
    [InlineData("DATAXPIPE_LOG_FORMAT", "xml", "DATAXPIPE_LOG_FORMAT")]
    [InlineData("DATAXPIPE_METRICS_PORT", "0", "DATAXPIPE_METRICS_PORT must be a whole number from 1 to 65535")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "OTEL_EXPORTER_OTLP_ENDPOINT must be an address")]
    [InlineData("ASPNETCORE_URLS", "garbage", "ASPNETCORE_URLS")]
    [InlineData("DATAXPIPE_RETENTION_RUNS_DAYS", "0", "DATAXPIPE_RETENTION_RUNS_DAYS must be a whole number from 1 to 36500")]
    [InlineData("DATAXPIPE_RETENTION_RESULTS_DAYS", "c4nary", "DATAXPIPE_RETENTION_RESULTS_DAYS must be a whole number from 1 to 36500")]
    [InlineData("DATAXPIPE_RETENTION_EVENTS_DAYS", "36501", "DATAXPIPE_RETENTION_EVENTS_DAYS must be a whole number from 1 to 36500")]
    [InlineData("Logging__LogLevel__Default", "c4nary",
        "Logging__LogLevel__Default must be one of Trace, Debug, Information, Warning, Error, Critical, None")]
    [InlineData("Logging__Console__LogLevel__Microsoft.AspNetCore", "c4nary",
        "Logging__Console__LogLevel__Microsoft.AspNetCore must be one of Trace")]
    [InlineData("Logging__Console__FormatterOptions__SingleLine", "c4nary",
        "ends in FormatterOptions__SingleLine cannot be converted to the type Boolean")]
    public async Task An_invalid_setting_stops_the_start(string name, string value, string expected) =>
        Assert.Equal(2, await Refused(expected, (name, value)));

    [Theory]
    [InlineData("appsettings.json", "{\n  \"Logging\": c4nary\n}", "is not valid JSON at line 2")]
    [InlineData("appsettings.Production.json", "{ \"a\": \"c4nary\", \"A\": 1 }", "cannot be used")]
    [InlineData("appsettings.json", "[]", "cannot be used")]
    public async Task An_unreadable_settings_file_stops_the_start(string name, string text, string expected)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, name), text, TestContext.Current.CancellationToken);

        Assert.Equal(2, await Refused($"{Path.DirectorySeparatorChar}{name} {expected}", ("DOTNET_ENVIRONMENT", "Production")));
    }

    [Fact]
    public async Task Required_row_level_security_that_cannot_be_enforced_stops_the_start()
    {
        postgres.Require();

        await Refused("the role nobody_made_this does not exist", ("DATAXPIPE_DB", postgres.Address),
            ("DATAXPIPE_APP_ROLE", "nobody_made_this"), ("DATAXPIPE_REQUIRE_RLS", "true"));
    }

    [Fact]
    public Task Row_level_security_cannot_be_required_of_SQLite() =>
        Refused("SQLite has no row-level security", ("DATAXPIPE_REQUIRE_RLS", "true"));

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task A_key_file_of_another_user_stops_the_start_and_the_console()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no user ids.");
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists("/usr/bin/setpriv"), "Only root can be two users.");
        var file = Path.Combine(_directory, "catalog.db");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file + ".key", Convert.ToBase64String(new byte[32]), TestContext.Current.CancellationToken);
        File.SetUnixFileMode(file + ".key", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetUnixFileMode(
            _directory, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite | UnixFileMode.GroupRead
                | UnixFileMode.GroupExecute);
        var expected =
            $"{file}.key cannot be used by this process (its owner is user id 0 with mode 600; this process is user id 1000660000). "
                + $"As its owner or as root: `chown 1000660000 '{file}.key'`, or set DATAXPIPE_SECRET_KEY";

        await Refused(
            ["setpriv", "--reuid=1000660000", "--clear-groups", "dotnet", typeof(Catalog.Api.Operations.Health).Assembly.Location],
            expected, ("DATAXPIPE_DB", file), ("HOME", "/nonexistent"));
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var console = Path.Combine(AppContext.BaseDirectory, "Catalog.Migrations.dll");
        foreach (var arguments in new string[][] { ["current"], ["backup", "--output", _directory], ["transfer", "--from", file] })
        {
            await Refused(["setpriv", "--reuid=1000660000", "--clear-groups", "dotnet", console, .. arguments],
                $"{file} cannot be used by this process (its owner is user id 0",
                arguments[0] == "transfer"
                    ? ("DATAXPIPE_MIGRATIONS_DB", "postgresql://u@127.0.0.1:1/d") : ("DATAXPIPE_DB", file), ("HOME", "/nonexistent"));
        }

        var backups = Directory.CreateDirectory(
            Path.Combine(_directory, "backups"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await Refused(["setpriv", "--reuid=1000660000", "--clear-groups", "dotnet", console, "backups", "list", backups.FullName],
            $"{backups.FullName} cannot be used by this process (its owner is user id 0 with mode 700", ("HOME", "/nonexistent"));
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task A_read_only_file_is_not_ready_and_the_log_names_its_owner()
    {
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists("/usr/bin/setpriv"), "Only root can be two users.");
        var (file, port) = (Path.Combine(_directory, "catalog.db"), PostgresCluster.FreePort());
        await TestDatabase.Migrate(file);
        File.SetUnixFileMode(_directory, (UnixFileMode)0b111_111_101);
        var start = new ProcessStartInfo(
            "setpriv", ["--reuid=1000660000", "--clear-groups", "dotnet", typeof(Catalog.Api.Operations.Health).Assembly.Location])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in new[] { ("HOME", "/nonexistent"), ("DATAXPIPE_DB", file),
            ("DATAXPIPE_SECRET_KEY", Convert.ToBase64String(new byte[32])), ("ASPNETCORE_URLS", $"http://127.0.0.1:{port}") })
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var log = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        using var client = new HttpClient();
        HttpResponseMessage? ready = null;
        for (var i = 0; ready is null && i < 100; i++)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
            ready = await client.GetAsync($"http://127.0.0.1:{port}/ready", TestContext.Current.CancellationToken)
                .ContinueWith(request => request.IsCompletedSuccessfully ? request.Result : null, TaskScheduler.Default);
        }

        process.Kill();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready!.StatusCode);
        Assert.Contains("is read-only", await ready.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Contains($"{file} cannot be opened or written (its owner is user id 0", await log);
    }

    [Fact]
    public async Task A_port_in_use_stops_the_start()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        await Refused(
            "no other process uses the address", ("ASPNETCORE_URLS", $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}"));
    }

    [Fact]
    [Trait("Fault", "F36")]
    public Task Too_few_open_files_stop_the_start()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/prlimit"), "prlimit is missing (Debian: apt-get install util-linux).");
        return Refused(["prlimit", "--nofile=256:256", "dotnet", typeof(Catalog.Api.Operations.Health).Assembly.Location],
            "The limit for open files is 256. The service needs at least 432");
    }

    private Task<int> Refused(string expected, params (string Name, string Value)[] settings) =>
        Refused(["dotnet", typeof(Catalog.Api.Operations.Health).Assembly.Location], expected, settings);

    // Returns the exit code.
    private async Task<int> Refused(string[] command, string expected, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = _directory,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errorOutput = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (!process.WaitForExit(TimeSpan.FromSeconds(20)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"The service started; expected the error: {expected}");
        }

        var errors = await errorOutput;
        Assert.InRange(process.ExitCode, 1, 2);
        Assert.Contains(expected, errors);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.DoesNotContain("   at ", errors + await output);
        Assert.DoesNotContain("c4nary", errors + await output);
        return process.ExitCode;
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
