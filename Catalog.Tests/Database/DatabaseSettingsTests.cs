using Catalog.Data.Database;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Catalog.Tests.Database;

[Trait("Category", "Fast")]
public sealed class DatabaseSettingsTests : IDisposable
{
    private const string Canary = "zqxj7wvk9";

    private readonly string _directory = Directory.CreateTempSubdirectory("catalog-settings-").FullName;

    [Fact]
    public void The_first_source_that_is_set_wins()
    {
        var sources = new (string Key, string? Value)[]
        {
            ("DATAXPIPE_DB", "postgresql://first/app"), ("DATABASE_URL", "postgresql://second/app"),
            ("DATABASE:URL", "postgresql://third/app"), ("DATABASE:HOST", "fourth"), ("DATABASE_HOST", "fifth"),
        };

        var hosts = new[] { "first", "second", "third", "fourth", "fifth" };
        for (var i = 0; i < sources.Length; i++)
        {
            Assert.Equal(hosts[i], Read(sources[i..]).Postgres!.Host);
            // A blank setting counts as not set.
            Assert.Equal(Read(sources[(i + 1)..]).Display, Read([(sources[i].Key, " "), .. sources[(i + 1)..]]).Display);
        }

        var nothing = Read();
        Assert.Equal((DatabaseEngine.Sqlite, Path.GetFullPath("catalog.db")), (nothing.Engine, nothing.SqlitePath));
        Assert.Null(nothing.Postgres);
    }

    [Theory]
    [InlineData("DATABASE:HOST", "DATABASE:PORT", "DATABASE:NAME", "DATABASE:USER", "DATABASE:PASSWORD")]
    [InlineData("DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME", "DATABASE_USERNAME", "DATABASE_PASSWORD")]
    public void Separate_settings_form_an_address(string host, string port, string name, string user, string password)
    {
        const string Special = " a;b'c\"d=e f%20@:/?#${g ";

        var read = Read((host, "db.example"), (port, "6432"), (name, "app"), (user, "ada"), (password, Special)).Postgres!;
        var least = Read((host, "::1"), (port, ""), (name, "")).Postgres!;

        Assert.Equal(("db.example", 6432, "app", "ada"), (read.Host, read.Port, read.Database, read.Username));
        Assert.Equal(Special.Trim(), new NpgsqlConnectionStringBuilder(read.ConnectionString).Password);
        Assert.Equal(("::1", 5432, null, null), (least.Host, least.Port, least.Database, least.Password));
    }

    [Theory]
    [InlineData("DATABASE:PORT", "0", "DATABASE__PORT")]
    [InlineData("DATABASE:PORT", "65536", "DATABASE__PORT")]
    [InlineData("DATABASE:PORT", Canary, "DATABASE__PORT")]
    [InlineData("DATABASE:HOST", $"db.example:{Canary}", "DATABASE__HOST")]
    [InlineData("DATABASE:HOST", "a,[::1]:6432", "DATABASE__HOST")]
    public void Invalid_separate_settings_are_refused_by_name(string key, string value, string name) =>
        Refused(name, "must be", [("DATABASE:HOST", "db.example"), ("DATABASE:PASSWORD", Canary), (key, value)]);

    [Fact]
    public void An_invalid_port_is_reported_with_the_spelling_in_use() =>
        Refused("DATABASE_PORT", "1 to 65535", [("DATABASE_HOST", "db.example"), ("DATABASE_PORT", "x")]);

    [Fact]
    public void Placeholders_are_skipped_except_in_DATAXPIPE_DB()
    {
        const string Placeholder = "postgresql://ada:${DB_PASSWORD}@${DB_HOST}/app";

        Assert.Equal("fourth", Read(("DATABASE_URL", Placeholder), ("DATABASE:URL", "${URL}"), ("DATABASE:HOST", "fourth")).Postgres!.Host);
        Assert.Equal("third", Read(("DATABASE_URL", "${URL}"), ("DATABASE:URL", "postgresql://third")).Postgres!.Host);
        Assert.Equal("fifth", Read(("DATABASE:HOST", "${DB_HOST}"), ("DATABASE_HOST", "fifth")).Postgres!.Host);
        Assert.Equal(DatabaseEngine.Sqlite, Read(("DATABASE_URL", Placeholder)).Engine);
        Assert.Equal("a${b", Read(("DATABASE_URL", "postgresql://ada:a${b@h/app")).Postgres!.Password);
        Assert.Equal("${b}", Read(("DATAXPIPE_DB", "postgresql://ada:%24{b}@h/app")).Postgres!.Password);
        foreach (var value in new[] { Placeholder, "${URL}", "sqlite:///${DIRECTORY}/catalog.db", "data/${NAME}.db" })
        {
            Refused("DATAXPIPE_DB", "the ${...} placeholder was not replaced", [("DATAXPIPE_DB", value), ("DATABASE:HOST", "db.example")]);
        }
    }

    [Theory]
    [InlineData("catalog.db")]
    [InlineData("./a:b@c=d.db", "sqlite:///")]
    [InlineData("catalog.db", "sqlite:///")]
    [InlineData("catalog.db", "SQLite:///")]
    [InlineData("../catalog.db")]
    [InlineData("a b%20c.db")]
    [InlineData("{directory}/catalog.db")]
    [InlineData("{directory}/a:b.db")]
    [InlineData("{directory}/catalog.db", "sqlite:///")]
    public void Paths_are_absolute_or_relative_to_the_working_directory(string path, string scheme = "")
    {
        path = path.Replace("{directory}", _directory, StringComparison.Ordinal);

        var read = Read(("DATAXPIPE_DB", scheme + path));

        Assert.Equal((DatabaseEngine.Sqlite, Path.GetFullPath(path)), (read.Engine, read.SqlitePath));
        Assert.Equal($"SQLite file {Path.GetFullPath(path)}", read.Display);
    }

    [Theory]
    [InlineData("{directory}", "name a file in it")]
    [InlineData("sqlite:///{directory}/", "name a file in it")]
    [InlineData(".", "name a file in it")]
    [InlineData("{directory}/none/catalog.db", "create it first")]
    [InlineData("sqlite:///none/catalog.db", "create it first")]
    [InlineData("none/", "create it first")]
    [InlineData("sqlite://", "sqlite:///relative.db")]
    [InlineData("sqlite:///", "sqlite:///relative.db")]
    [InlineData("sqlite://catalog.db", "sqlite:///relative.db")]
    [InlineData("sqlite:///catalog.db?mode=ro", "without parameters")]
    [InlineData("sqlite:///:memory:", "name a file")]
    [InlineData(":memory:", "name a file")]
    [InlineData("a\0b", "name a file")]
    [InlineData($"mysql://ada:{Canary}@h/app", "only postgresql://")]
    [InlineData($"postgresql+other://ada:{Canary}@h/app", "only postgresql://")]
    // Misspelled addresses, which must not be taken for file names.
    [InlineData($"postgresql:/ada:{Canary}@h/app", "only postgresql://")]
    [InlineData($"postgresql:{Canary}", "only postgresql://")]
    [InlineData($"//ada:{Canary}@h", "only postgresql://")]
    [InlineData($"ada:{Canary}@h/app", "only postgresql://")]
    [InlineData($"a:{Canary}@h", "only postgresql://")]
    [InlineData($"Host=h;Usernam=ada;Password={Canary}", "not a valid connection string")]
    [InlineData($"Username=ada;Password={Canary}", "has no Host")]
    [InlineData($"host=h user=ada password='{Canary}", "single quote")]
    [InlineData($"host=h usr=ada password={Canary}", "did you mean user?")]
    [InlineData($"host=h hostaddr=1.2.3.4 password={Canary}", "hostaddr is not supported")]
    [InlineData($"Data Source=catalog.db;Password={Canary}", "only postgresql://")]
    [InlineData("file:catalog.db", "only postgresql://")]
    [InlineData("sqlite:catalog.db", "only postgresql://")]
    [InlineData($"{Canary}/catalog.db", "create it first")]
    [InlineData($"postgresql://ada:{Canary}@h/app?service=x", "service is not supported")]
    public void A_value_that_is_neither_a_file_nor_an_address_is_refused(string value, string advice)
    {
        value = value.Replace("{directory}", _directory, StringComparison.Ordinal);
        foreach (var (key, name) in new[] { ("DATAXPIPE_DB", "DATAXPIPE_DB"), ("DATABASE_URL", "DATABASE_URL"),
            ("DATABASE:URL", "DATABASE__URL") })
        {
            Assert.StartsWith($"{name}: ", Refused(name, advice, [(key, value)]), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(" postgresql://ada:secret@h/app")]
    [InlineData("postgresql://ada:secret@h/app\n")]
    public void Blanks_around_an_address_are_removed(string value) =>
        Assert.Equal("Postgres database app on h", Support.TestDatabase.Read(value).Display);

    [Theory]
    [InlineData("", 1, 10)]
    [InlineData("DATAXPIPE_PG_POOL_MIN=3 DATAXPIPE_PG_POOL_MAX=7", 3, 7)]
    [InlineData("DATAXPIPE_PG_POOL_MIN=0 DATAXPIPE_PG_POOL_MAX=1", 0, 1)]
    [InlineData("DATABASE:POOL_SIZE=5", 1, 5)]
    [InlineData("DATABASE:POOL_SIZE=5 DATABASE:MAX_OVERFLOW=15", 1, 20)]
    [InlineData("DATABASE:MAX_OVERFLOW=15", 1, 10)]
    [InlineData("DATAXPIPE_PG_POOL_MAX=7 DATABASE:POOL_SIZE=x DATABASE:MAX_OVERFLOW=15", 1, 7)]
    public void The_pool_size_is_set_by_its_variables_or_their_aliases(string settings, int min, int max)
    {
        var read = Read([("DATAXPIPE_DB", "postgresql://db.example"), .. Pairs(settings)]).Postgres!;

        Assert.Equal((min, max), (read.MinPoolSize, read.MaxPoolSize));
    }

    [Theory]
    [InlineData("DATAXPIPE_PG_POOL_MIN=8 DATAXPIPE_PG_POOL_MAX=7", "DATAXPIPE_PG_POOL_MIN", "lower it or raise DATAXPIPE_PG_POOL_MAX")]
    [InlineData("DATAXPIPE_PG_POOL_MIN=8 DATABASE:POOL_SIZE=7", "DATAXPIPE_PG_POOL_MIN", "lower it or raise DATAXPIPE_PG_POOL_MAX")]
    [InlineData("DATAXPIPE_PG_POOL_MIN=-1", "DATAXPIPE_PG_POOL_MIN", "from 0 to 1000")]
    [InlineData("DATAXPIPE_PG_POOL_MAX=0", "DATAXPIPE_PG_POOL_MAX", "from 1 to 1000")]
    [InlineData("DATAXPIPE_PG_POOL_MAX=1001", "DATAXPIPE_PG_POOL_MAX", "from 1 to 1000")]
    [InlineData("DATAXPIPE_PG_POOL_MAX=many", "DATAXPIPE_PG_POOL_MAX", "from 1 to 1000")]
    [InlineData("DATABASE:POOL_SIZE=0", "DATABASE__POOL_SIZE", "from 1 to 1000")]
    [InlineData("DATABASE:MAX_OVERFLOW=1.5", "DATABASE__MAX_OVERFLOW", "from 0 to 1000")]
    [InlineData("DATAXPIPE_PG_POOL_TIMEOUT=0", "DATAXPIPE_PG_POOL_TIMEOUT", "from 1 to 60")]
    [InlineData("DATAXPIPE_PG_POOL_TIMEOUT=2s", "DATAXPIPE_PG_POOL_TIMEOUT", "from 1 to 60")]
    public void Invalid_pool_settings_are_refused_by_name(string settings, string name, string advice) =>
        Refused(name, advice, [("DATAXPIPE_DB", $"postgresql://ada:{Canary}@db.example"), .. Pairs(settings)]);

    [Theory]
    [InlineData("DATAXPIPE_DB", "\"postgresql://ada:{0}@h/app\"")]
    [InlineData("DATAXPIPE_DB", "'catalog.db'")]
    [InlineData("DATAXPIPE_DB", "\"catalog.db\"\n")]
    [InlineData("DATAXPIPE_DB", "\u201ccatalog.db\u201d")]
    [InlineData("DATABASE:URL", "'postgresql://h/app'")]
    [InlineData("DATABASE:HOST", "\"h\"")]
    [InlineData("DATAXPIPE_PG_POOL_MAX", "\"7\"")]
    [InlineData("DATAXPIPE_DB_ECHO", "'true'")]
    [InlineData("DATAXPIPE_APP_ROLE", "\"catalog_app\"")]
    [InlineData("DATAXPIPE_REQUIRE_RLS", "\"true\"")]
    [InlineData("DATAXPIPE_PG_SCHEMA", "\"catalog\"")]
    public void A_value_in_quotes_is_refused_and_the_message_mentions_the_quotes(string key, string value) =>
        Refused(key.Replace(":", "__", StringComparison.Ordinal), "is in quotes",
            [(key, value.Replace("{0}", Canary, StringComparison.Ordinal))]);

    [Theory]
    [InlineData("\"catalog.db")]
    [InlineData("sqlite:///'catalog.db'")]
    public void A_path_with_a_quote_at_an_end_is_refused(string value) =>
        Refused("DATAXPIPE_DB", "remove the quotes", [("DATAXPIPE_DB", value)]);

    [Fact]
    public void Blanks_around_a_setting_are_removed()
    {
        var read = Read(("DATABASE:HOST", " h\n"), ("DATABASE:USER", "ada\r\n"), ("DATABASE:PASSWORD", "secret\n"),
            ("DATABASE:PORT", "6432 "), ("DATABASE:NAME", "\tapp"),
            ("DATAXPIPE_APP_ROLE", "catalog_other\n"), ("DATAXPIPE_PG_SCHEMA", "catalog\n"));

        Assert.Equal(("h", "ada", "secret", 6432, "app"),
            (read.Postgres!.Host, read.Postgres.Username, read.Postgres.Password, read.Postgres.Port, read.Postgres.Database));
        Assert.Equal(("catalog_other", "catalog"), (read.AppRole, read.Schema));
        Assert.Equal("Postgres database app on h", Support.TestDatabase.Read("\uFEFFpostgresql://h/app\n").Display);
    }

    [Fact]
    public void Migrations_use_their_own_address_or_the_services()
    {
        var service = ("DATAXPIPE_DB", "postgresql://pooler/app");

        Assert.Equal("direct", ReadForMigrations(service, ("DATAXPIPE_MIGRATIONS_DB", "postgresql://direct/app")).Postgres!.Host);
        Assert.Equal("pooler", ReadForMigrations(service, ("DATAXPIPE_MIGRATIONS_DB", "")).Postgres!.Host);
        Assert.Equal("pooler", Read(service, ("DATAXPIPE_MIGRATIONS_DB", "postgresql://direct/app")).Postgres!.Host);
        var refusal = Assert.Throws<SettingException>(() => ReadForMigrations(service, ("DATAXPIPE_MIGRATIONS_DB", "${MIGRATIONS_DB}")));
        Assert.StartsWith("DATAXPIPE_MIGRATIONS_DB: ", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData($"postgresql://ada:{Canary}@db.example:6432/app", "Postgres database app on db.example")]
    [InlineData($"postgresql://ada:{Canary}@db.example", "Postgres database ada on db.example")]
    [InlineData($"postgresql://ada:{Canary}@db.example?dbname=", "Postgres database ada on db.example")]
    [InlineData($"postgresql://:{Canary}@db.example", "Postgres database (default) on db.example")]
    [InlineData($"postgresql://a:1,b/app?user=ada&password={Canary}&sslpassword={Canary}", "Postgres database app on a:1,b:5432")]
    public void Display_never_contains_the_password(string uri, string display) =>
        Assert.Equal(display, Read(("DATAXPIPE_DB", uri)).Display);

    [Fact]
    public void Display_of_separate_settings_never_contains_the_password() => Assert.Equal("Postgres database ada on db.example",
        Read(("DATABASE:HOST", "db.example"), ("DATABASE:USER", "ada"), ("DATABASE:NAME", ""), ("DATABASE:PASSWORD", Canary)).Display);

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    private string Refused(string name, string advice, (string Key, string? Value)[] settings)
    {
        var message = Assert.Throws<SettingException>(() => Read(settings)).Message;

        Assert.StartsWith(name, message, StringComparison.Ordinal);
        Assert.Contains(advice, message, StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, message, StringComparison.Ordinal);
        Assert.DoesNotContain(_directory, message, StringComparison.Ordinal);
        return message;
    }

    private static (string, string?)[] Pairs(string settings) =>
        [.. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => (pair.Split('=')[0], (string?)pair.Split('=')[1]))];

    private static DatabaseSettings Read(params (string Key, string? Value)[] settings) => DatabaseSettings.Read(Configuration(settings));

    private static DatabaseSettings ReadForMigrations(params (string Key, string? Value)[] settings) =>
        DatabaseSettings.ReadForMigrations(Configuration(settings));

    // The last setting of a key wins, as an environment variable overrides a file.
    private static IConfigurationRoot Configuration((string Key, string? Value)[] settings)
    {
        var values = new Dictionary<string, string?>();
        foreach (var (key, value) in settings)
        {
            values[key] = value;
        }

        return new ConfigurationBuilder().AddInMemoryCollection(values).Build();
    }
}
