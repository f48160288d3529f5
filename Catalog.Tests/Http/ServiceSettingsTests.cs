using Catalog.Api.Http;
using Catalog.Data.Database;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Http;

[Trait("Category", "Fast")]
public sealed class ServiceSettingsTests
{
    [Theory]
    [InlineData(DatabaseEngine.Sqlite, null, true)]
    [InlineData(DatabaseEngine.Sqlite, "http://127.0.0.1:9000;http://[::1]:9000;http://localhost:1", true)]
    [InlineData(DatabaseEngine.Sqlite, "http://localhost:9000;http://0.0.0.0:9001", false)]
    [InlineData(DatabaseEngine.Sqlite, "http://*:80", false)]
    [InlineData(DatabaseEngine.Sqlite, "http://catalog.example:80", false)]
    [InlineData(DatabaseEngine.Postgres, null, false)]
    public void Development_keys_default_to_SQLite_on_loopback(DatabaseEngine engine, string? urls, bool expected) =>
        Assert.Equal(expected, Read(engine, ("urls", urls)).DevKeys);

    [Theory]
    [InlineData("urls", "http://0.0.0.0:8000")]
    [InlineData("http_ports", "8080")]
    [InlineData("Kestrel:Endpoints:Public:Url", "http://+:80")]
    public void Development_keys_on_a_public_address_stop_the_start(string name, string value) =>
        Refused("DATAXPIPE_DEV_KEYS", DatabaseEngine.Sqlite, ("DATAXPIPE_DEV_KEYS", "true"), (name, value));

    [Theory]
    [InlineData("too-short")]
    [InlineData("0123456789 0123456789 0123456789 0123456789")]
    [InlineData("éééééééééééééééééééééééééééééééééé")]
    public void A_weak_platform_key_stops_the_start_and_is_not_reported(string key) =>
        Assert.DoesNotContain(key, Refused("DATAXPIPE_PLATFORM_KEY", DatabaseEngine.Postgres, ("DATAXPIPE_PLATFORM_KEY", key)));

    [Theory]
    [InlineData("DATAXPIPE_PLATFORM_KEY", "'0123456789abcdef0123456789abcdef'")]
    [InlineData("DATAXPIPE_SECRET_KEY", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"")]
    [InlineData("DATAXPIPE_DEV_KEYS", "\"true\"")]
    [InlineData("urls", "\"http://localhost:8000\"")]
    public void A_value_in_quotes_is_refused_with_the_reason(string name, string value)
    {
        var message = Refused(name, DatabaseEngine.Sqlite, (name, value));
        Assert.Contains("is in quotes", message);
        Assert.DoesNotContain(value[1..^1], message);
    }

    [Fact]
    public void A_trailing_line_break_is_removed()
    {
        var read = Read(DatabaseEngine.Sqlite, ("DATAXPIPE_PLATFORM_KEY", "0123456789abcdef0123456789abcdef\n"),
            ("DATAXPIPE_SECRET_KEY", $"{Convert.ToBase64String(new byte[32])}\r\n"), ("urls", "http://localhost:9000\n"));
        Assert.Equal("0123456789abcdef0123456789abcdef", read.PlatformKey);
        Assert.Equal(32, read.SecretKey!.Length);
        Assert.Equal(["http://localhost:9000"], read.Urls);
    }

    [Fact]
    public void Flags_accept_only_known_words()
    {
        Assert.False(Read(DatabaseEngine.Sqlite, ("DATAXPIPE_DEV_KEYS", "OFF")).DevKeys);
        Assert.True(Read(DatabaseEngine.Sqlite, ("DATAXPIPE_USE_ALEMBIC", "1")).UseMigrations);
        Refused("DATAXPIPE_DEV_KEYS", DatabaseEngine.Sqlite, ("DATAXPIPE_DEV_KEYS", "maybe"));
    }

    [Fact]
    public void Postgres_is_never_migrated_at_run_time()
    {
        Assert.True(Read(DatabaseEngine.Postgres).UseMigrations);
        Refused("DATAXPIPE_USE_MIGRATIONS", DatabaseEngine.Postgres, ("DATAXPIPE_USE_MIGRATIONS", "false"));
    }

    private static ServiceSettings Read(DatabaseEngine engine, params (string Name, string? Value)[] settings) =>
        ServiceSettings.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(setting => setting.Name, setting => setting.Value)).Build(), engine);

    private static string Refused(string named, DatabaseEngine engine, params (string Name, string? Value)[] settings)
    {
        var refusal = Assert.Throws<SettingException>(() => Read(engine, settings));
        Assert.Contains(named, refusal.Message);
        return refusal.Message;
    }
}
