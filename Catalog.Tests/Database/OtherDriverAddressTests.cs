using Catalog.Data.Database;
using Catalog.Tests.Support;
using Npgsql;

namespace Catalog.Tests.Database;

/// <summary>Addresses in the forms and with the parameters of other drivers.</summary>
[Trait("Category", "Fast")]
public sealed class OtherDriverAddressTests
{
    private const string Canary = "zqxj7wvk9";

    [Theory]
    [InlineData("Host=db.example;Port=6432;Database=app;Username=ada;Password=p;SSL Mode=Require", "db.example", 6432, "app", "ada", "p")]
    [InlineData("Server=db.example;User Id=ada;Password=\"a;b\";Database=app", "db.example", 5432, "app", "ada", "a;b")]
    [InlineData("host = db.example ; username=ada", "db.example", 5432, null, "ada", null)]
    [InlineData("Host=a:1,b:2;Username=ada;Target Session Attributes=primary", "a:1,b:2", 5432, null, "ada", null)]
    [InlineData("Host=db.example;Target Session Attributes=read-write", "db.example", 5432, null, null, null)]
    [InlineData("host=db.example port=6432 dbname=app user=ada password=a;b", "db.example", 6432, "app", "ada", "a;b")]
    [InlineData("host='db.example' user = ada password='a b\\'c' sslmode=require", "db.example", 5432, null, "ada", "a b'c")]
    [InlineData("user=ada password=p host=/run/pg dbname=app", "/run/pg", 5432, "app", "ada", "p")]
    public async Task Connection_strings_of_keys_and_values_are_addresses(
        string value, string host, int port, string? database, string? user, string? password)
    {
        var read = TestDatabase.Read(value);

        Assert.Equal((host, port, database, user, password),
            (read.Postgres!.Host, read.Postgres.Port, read.Postgres.Database, read.Postgres.Username, read.Postgres.Password));
        Assert.Null(read.IgnoredWarning);
        await DatabaseFactory.Open(read).DisposeAsync();
    }

    [Theory]
    [InlineData("postgresql://h/app?pgbouncer=true&connection_limit=3&pool_timeout=20&schema=catalog", true, 3, 20, "catalog", 100)]
    [InlineData("postgresql://h/app?statement_cache_size=0&pool_timeout=0", true, 10, 60, "public", 100)]
    [InlineData("postgresql://h/app?prepared_statements=false&pool=4", true, 4, 2, "public", 100)]
    [InlineData("postgresql://h/app?prepareThreshold=0&statement_cache_size=5", null, 10, 2, "public", 100)]
    [InlineData("postgresql://h/app?pgbouncer=false&statement_cache_size=0", false, 10, 2, "public", 100)]
    [InlineData("jdbc:postgresql://h/app?user=ada&currentSchema=catalog", null, 10, 2, "catalog", 100)]
    [InlineData("Host=h;Maximum Pool Size=3;Search Path=catalog;Timeout=7;Max Auto Prepare=0", null, 3, 7, "catalog", 0)]
    public void Parameters_of_other_drivers_are_translated(string value, bool? pooler, int most, int timeout, string schema, int prepared)
    {
        var read = TestDatabase.Read(value);

        Assert.Equal((pooler, most, timeout, schema, prepared),
            (read.BehindPooler, read.Postgres!.MaxPoolSize, read.Postgres.Timeout, read.Schema, read.Postgres.MaxAutoPrepare));
        Assert.Null(read.IgnoredWarning);
        Assert.Equal(
            (false, 5), (TestDatabase.Read(value, ("DATAXPIPE_PGBOUNCER", "false")).BehindPooler,
                TestDatabase.Read(value, ("DATAXPIPE_PG_POOL_MAX", "5")).Postgres!.MaxPoolSize));
    }

    [Fact]
    public async Task Parameters_without_a_counterpart_are_left_out_and_reported_once()
    {
        var warnings = new List<string>();
        var read = TestDatabase.Read($"postgresql://ada:{Canary}@h/app?tcp_user_timeout=3&supa=base-pooler.x&statement_timeout=5");
        await DatabaseFactory.Open(read, warn: warnings.Add).DisposeAsync();

        Assert.Equal(
            ["DATAXPIPE_DB has parameters that the Catalog does not support and ignores: statement_timeout, supa, tcp_user_timeout."],
            warnings);
        // Parameters that would put row values into messages or turn off the pool are left out.
        var given = TestDatabase.Read($"Host=h;Password={Canary};Include Error Detail=true;Pooling=false;Log Parameters=true");
        Assert.Equal((false, true, false), (given.Postgres!.IncludeErrorDetail, given.Postgres.Pooling, given.Postgres.LogParameters));
        Assert.Contains("Include Error Detail, Log Parameters, Pooling", given.IgnoredWarning, StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, given.IgnoredWarning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-csearch_path%3D%22%24user%22%2Cpublic", "public")]
    [InlineData("-c%20search_path%3Dcatalog", "catalog")]
    public void The_schema_of_an_address_is_its_search_path_without_the_users_schema(string options, string schema) =>
        Assert.Equal(schema, TestDatabase.Read($"postgresql://h/app?options={options}").Schema);

    [Fact]
    public void Parameters_missing_from_the_address_have_the_services_defaults()
    {
        var open = TestDatabase.Read("postgresql://h?application_name=").Postgres!;
        var given = TestDatabase.Read("postgresql://h?application_name=night&gssencmode=prefer").Postgres!;

        Assert.Equal(("catalog", GssEncryptionMode.Disable), (open.ApplicationName, open.GssEncryptionMode));
        Assert.Equal(("night", GssEncryptionMode.Prefer), (given.ApplicationName, given.GssEncryptionMode));
        Assert.Equal((4, 1000, true), (open.CommandTimeout, open.CancellationTimeout, open.NoResetOnClose));
    }

    [Theory]
    [InlineData("postgresql://h", null, 2)]
    [InlineData("postgresql://h?connect_timeout=7", null, 7)]
    [InlineData("postgresql://h?connect_timeout=15", null, 15)]
    [InlineData("postgresql://h?connect_timeout=7", "3", 3)]
    public void The_pool_timeout_takes_precedence_over_connect_timeout(string uri, string? timeout, int seconds) =>
        Assert.Equal(seconds, TestDatabase.Read(uri, ("DATAXPIPE_PG_POOL_TIMEOUT", timeout ?? "")).Postgres!.Timeout);
}
