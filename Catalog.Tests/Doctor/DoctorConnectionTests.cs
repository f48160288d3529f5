using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Catalog.Migrations.Doctor;
using Catalog.Tests.Support;
using static Catalog.Tests.Doctor.DoctorTests;

namespace Catalog.Tests.Doctor;

/// <summary>The doctor's findings when it cannot connect.</summary>
[Collection(nameof(DedicatedPostgres))]
public sealed class DoctorConnectionTests
{
    private const string Password = "c4nary-that-nobody-may-see";
    private readonly DedicatedPostgres _server;

    public DoctorConnectionTests(DedicatedPostgres server) => _server = server.Require();

    [Fact]
    public async Task A_refused_login_is_explained_without_the_password()
    {
        var address = await _server.Empty();
        var (known, banned) = (await _server.Login($"password '{Password}'"), await _server.Login());
        await SetLoginRules($"host all {known} 127.0.0.1/32 scram-sha-256", $"host all {banned} 127.0.0.1/32 reject",
            "host all all 127.0.0.1/32 trust");

        var wrong = await Unreached(DedicatedPostgres.WithUser(address, known, $"{Password}-not"));
        Assert.Equal("authentication_failed", wrong.Code);
        Assert.Contains("user or the password", wrong.Message);
        Assert.DoesNotContain(Password, wrong.ToString());
        Assert.True((await Examine(DedicatedPostgres.WithUser(address, known, Password))).Reached);

        var unknown = await Unreached(DedicatedPostgres.WithUser(address, "nobody_of_that_name"));
        Assert.Equal("authentication_failed", unknown.Code);
        Assert.Contains("does not know the user", unknown.Message);
        Assert.Equal("not_in_pg_hba", (await Unreached(DedicatedPostgres.WithUser(address, banned))).Code);
    }

    [Fact]
    public async Task A_missing_database_is_reported_with_the_command_that_creates_it()
    {
        var finding = await Unreached(_server.Address("no_such_database"));

        Assert.Equal("database_missing", finding.Code);
        Assert.Contains("create database \"no_such_database\"", finding.Action);
    }

    [Fact]
    public async Task A_missing_connect_right_and_an_exhausted_connection_limit_are_reported()
    {
        var address = await _server.Empty();
        var login = await _server.Login("connection limit 1");
        await using (await DedicatedPostgres.Open(DedicatedPostgres.WithUser(address, login)))
        {
            Assert.Equal("too_many_connections", (await Unreached(DedicatedPostgres.WithUser(address, login))).Code);
        }

        // The process of a closed connection ends a little later and counts for the limit until then.
        await DedicatedPostgres.Until(address, $"not exists (select from pg_stat_activity where usename = '{login}')");
        await DedicatedPostgres.Execute(address, $"revoke connect on database {new Uri(address).AbsolutePath[1..]} from public");
        Assert.Equal("not_permitted", (await Unreached(DedicatedPostgres.WithUser(address, login))).Code);
    }

    [Fact]
    public async Task A_server_without_TLS_and_an_untrusted_certificate_are_distinguished()
    {
        var address = await _server.Empty();
        Assert.Equal("tls_refused", (await Unreached($"{address}?sslmode=require")).Code);

        await UseCertificate(_server.Address("postgres"));
        try
        {
            Assert.Equal("certificate_refused", (await Unreached($"{address}?sslmode=verify-full")).Code);
            Assert.True((await Examine($"{address}?sslmode=require")).Reached);
        }
        finally
        {
            await DedicatedPostgres.Execute(_server.Address("postgres"), "alter system set ssl = off", "select pg_reload_conf()");
            await DedicatedPostgres.Until(_server.Address("postgres"), "current_setting('ssl') = 'off'");
        }
    }

    [Fact]
    public async Task A_closed_port_and_an_unknown_host_name_are_distinguished()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var refused = await Unreached($"postgresql://u:{Password}@127.0.0.1:{port}/catalog");
        Assert.Equal("connection_refused", refused.Code);
        Assert.Contains($"127.0.0.1:{port}", refused.Message);
        Assert.Equal("host_unknown", (await Unreached($"postgresql://u:{Password}@nowhere.invalid/catalog")).Code);
    }

    [Fact]
    public async Task Both_addresses_are_examined_and_named()
    {
        var address = await _server.AtHead();
        var gone = _server.Address("gone");

        var service = Code("database_missing", await Examine(address, gone));
        Assert.StartsWith("The service's address (DATAXPIPE_DB)", service.Message);
        var migrator = await Examine(gone, address);
        Assert.False(migrator.Reached);
        Assert.StartsWith("The migrator's address (DATAXPIPE_MIGRATIONS_DB)", Assert.Single(migrator.Findings).Message);
        var both = await Examine(gone, $"{gone}?sslmode=require");
        Assert.Equal(["database_missing", "tls_refused"], both.Findings.Select(finding => finding.Code));
    }

    [Fact]
    public async Task The_console_exits_7_with_the_finding_and_without_the_password()
    {
        var address = DedicatedPostgres.WithUser(_server.Address("gone"), "postgres", Password);

        var run = await MigratorConsole.Run(address, "doctor", "--json");

        Assert.Equal(7, run.Exit);
        Assert.Equal("database_missing", Assert.Single(run.Json.GetProperty("findings").EnumerateArray()).GetProperty("code").GetString());
        Assert.DoesNotContain(Password, run.Output + run.Errors);
    }

    private static async Task<Finding> Unreached(string address)
    {
        var report = await Examine(address);
        Assert.False(report.Reached);
        return Assert.Single(report.Findings);
    }

    private async Task SetLoginRules(params string[] lines)
    {
        var address = _server.Address("postgres");
        await Write(address, "hba_file", string.Join('\n', lines));
        await DedicatedPostgres.Execute(address, "select pg_reload_conf()");
        await DedicatedPostgres.Until(address, "exists (select from pg_hba_file_rules where auth_method = 'reject')");
        // The postmaster reads the file shortly after the signal.
        await Task.Delay(200, DedicatedPostgres.Ct);
    }

    private static async Task UseCertificate(string address)
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=somebody", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await Write(address, "ssl_cert_file", certificate.ExportCertificatePem());
        await Write(address, "ssl_key_file", key.ExportPkcs8PrivateKeyPem());
        await DedicatedPostgres.Execute(address, "alter system set ssl = on", "select pg_reload_conf()");
        await DedicatedPostgres.Until(address, "current_setting('ssl') = 'on'");
        await Task.Delay(200, DedicatedPostgres.Ct);
    }

    // The server's user writes the file without rights for others, as the server requires for a key.
    private static async Task Write(string address, string setting, string text)
    {
        var file = await DedicatedPostgres.Scalar<string>(
            address, $"select case when current_setting('{setting}') like '/%' then current_setting('{setting}') else "
                + $"current_setting('data_directory') || '/' || current_setting('{setting}') end");
        await DedicatedPostgres.Execute(
            address, $"copy (select unnest(string_to_array('{text.Replace("\n", "|", StringComparison.Ordinal)}', '|'))) to program "
                + $"'umask 077; cat > {file}'");
    }
}
