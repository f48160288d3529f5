using System.Net;
using Catalog.Tests.Support;

namespace Catalog.Tests.Verbs;

public sealed class ResealVerbOnSqlite(SqliteTestDatabase database) : ResealVerbTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ResealVerbOnPostgres(PostgresTestDatabase database) : ResealVerbTests(database), IClassFixture<PostgresTestDatabase>;

/// <summary>A new key for secrets: the verb reseal, and the service with both keys.</summary>
public abstract class ResealVerbTests
{
    private readonly TestDatabase _database;

    protected ResealVerbTests(TestDatabase database)
    {
        database.Require();
        _database = database;
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static readonly string First = SecretSearch.SecretKey;
    private static readonly string Second = Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray());
    private static readonly string Third = Convert.ToBase64String(Enumerable.Repeat((byte)9, 32).ToArray());

    [Fact]
    public async Task Secrets_and_sessions_outlive_a_change_of_the_key()
    {
        CookieContainer cookies;
        using (var app = new CatalogApp(_database, ("DATAXPIPE_SECRET_KEY", First)))
        {
            using var browser = await PageClient.SignedIn(app);
            cookies = browser.Cookies;
            await Register(app, "before");
        }

        using (var app = new CatalogApp(_database, ("DATAXPIPE_SECRET_KEY", Second), ("DATAXPIPE_SECRET_KEY_PREVIOUS", First)))
        {
            Assert.True(await IsReadable(app, "before"));
            await Register(app, "during");
            await AssertSignedIn(app, cookies);
        }

        var resealed = await Reseal(Second, First);
        Assert.True(resealed.Exit == 0, resealed.ToString());
        Assert.Equal((1, 1, 0), Counts(resealed, "connections"));
        Assert.Equal((0, 2, 0), Counts(await Reseal(Second, First), "connections"));

        using (var app = new CatalogApp(_database, ("DATAXPIPE_SECRET_KEY", Second)))
        {
            Assert.True(await IsReadable(app, "before") && await IsReadable(app, "during"));
            await AssertSignedIn(app, cookies);
        }

        var wrong = await Reseal(Third, First);
        Assert.Equal(4, wrong.Exit);
        Assert.Contains("Neither key decrypts the secrets of some connections", wrong.Errors, StringComparison.Ordinal);
        Assert.Equal((0, 0, 2), Counts(wrong, "connections"));
    }

    [Fact]
    public async Task Without_the_tables_it_says_what_to_run()
    {
        var empty = Path.Combine(Path.GetTempPath(), $"catalog-{Guid.NewGuid():N}.db");

        var result = await MigratorConsole.Run(
            empty, [("DATAXPIPE_SECRET_KEY", First), ("DATAXPIPE_SECRET_KEY_PREVIOUS", Second)], "reseal");

        Assert.Equal(3, result.Exit);
        Assert.Contains("catalog-migrations upgrade", result.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(empty));
    }

    [Theory]
    [InlineData(null, "x", "DATAXPIPE_SECRET_KEY is not set")]
    [InlineData("AAAA", "x", "DATAXPIPE_SECRET_KEY must be 32 bytes")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", null, "DATAXPIPE_SECRET_KEY_PREVIOUS is not set")]
    public async Task Both_keys_are_required(string? key, string? previous, string message)
    {
        var result = await Reseal(key, previous);

        Assert.Equal(2, result.Exit);
        Assert.Contains(message, result.Errors, StringComparison.Ordinal);
    }

    private Task<ConsoleResult> Reseal(string? key, string? previous)
    {
        var settings = new[] { ("DATAXPIPE_SECRET_KEY", key), ("DATAXPIPE_SECRET_KEY_PREVIOUS", previous) };
        return MigratorConsole.Run(
            _database.Address, [.. settings.Where(setting => setting.Item2 is not null).Select(setting => (setting.Item1, setting.Item2!))],
            "reseal", "--json");
    }

    private static (int Changed, int Unchanged, int Unreadable) Counts(ConsoleResult result, string what)
    {
        var counts = result.Json.GetProperty(what);
        return (counts.GetProperty("changed").GetInt32(), counts.GetProperty("unchanged").GetInt32(),
            counts.GetProperty("unreadable").GetInt32());
    }

    private static async Task Register(CatalogApp app, string id)
    {
        using var client = app.Client();
        var answer = await client.PostJson("/api/v1/connections/", new
        {
            id,
            type = "postgres",
            config = new { host = "127.0.0.1", port = 1, user = "u", password = SecretSearch.SecretKey },
        });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private static async Task<bool> IsReadable(CatalogApp app, string id)
    {
        using var client = app.Client();
        var answer = await client.PostAsync($"/api/v1/connections/{id}/test", null, Ct);
        return (await answer.Json()).GetProperty("status").GetString() != "secret_unavailable";
    }

    private static async Task AssertSignedIn(CatalogApp app, CookieContainer cookies)
    {
        using var browser = new PageClient(app, cookies);
        Assert.Equal("/ui/runs", (await browser.Open("/ui/runs")).Path);
    }
}
