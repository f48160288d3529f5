using System.Text.RegularExpressions;
using Catalog.Api.Authentication;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Organizations;

public sealed class ApiKeysOnSqlite(SqliteTestDatabase database) : ApiKeyTests(database), IClassFixture<SqliteTestDatabase>;

public sealed class ApiKeysOnPostgres(PostgresTestDatabase database) : ApiKeyTests(database), IClassFixture<PostgresTestDatabase>;

public abstract partial class ApiKeyTests(TestDatabase database) : EndpointTestBase(database)
{
    private const string Keys = "/api/v1/organizations/me/api-keys";

    [Fact]
    public async Task A_key_is_shown_once_and_stored_as_a_hash()
    {
        using var owner = await App.Organization(Name);

        var created = await (await owner.PostJson(Keys, new { name = "airflow" })).Json();

        var key = created.GetProperty("key").GetString()!;
        Assert.Matches(KeyFormat(), key);
        Assert.Equal(key.Substring(4, 12), created.GetProperty("id").GetString());
        Assert.Equal(["read", "write"], created.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()));
        var listed = await owner.GetStringAsync(Keys, Ct);
        Assert.Contains(created.GetProperty("id").GetString()!, listed, StringComparison.Ordinal);
        Assert.DoesNotContain(key[16..46], listed + await owner.GetStringAsync("/api/v1/organizations/me/audit-log", Ct),
            StringComparison.Ordinal);
        Assert.DoesNotContain(App.Log.At(LogLevel.Trace), line => line.Contains(key[16..46], StringComparison.Ordinal));
        var stored = await Database.Database.Many<byte[]>(Name, "select secret_hash from api_keys where organization_id = @organization",
            new { organization = Name }, Ct);
        Assert.All(stored, hash => Assert.Equal(32, hash.Length));
    }

    public static TheoryData<string> InvalidKeyNames => [.. InvalidKeys.Keys];

    [Theory]
    [MemberData(nameof(InvalidKeyNames))]
    public async Task An_invalid_key_is_refused(string name)
    {
        using var owner = await App.Organization(Name);
        var key = (await (await owner.PostJson(Keys, new { name = "k" })).Json()).GetProperty("key").GetString()!;

        Assert.Equal(200, await Status(key));
        Assert.Equal(401, await Status(InvalidKeys[name](key)));
    }

    private static readonly Dictionary<string, Func<string, string>> InvalidKeys = new()
    {
        ["another secret with the same id and a valid checksum"] = key => (KeyText.New() with { Id = key.Substring(4, 12) }).ToText(),
        ["another id with the same secret and a valid checksum"] = key => (KeyText.New() with { Secret = key.Substring(16, 30) }).ToText(),
        ["a key that was never issued"] = _ => KeyText.New().ToText(),
        ["one character of the secret changed"] = key => key[..20] + (key[20] == 'a' ? 'b' : 'a') + key[21..],
        ["one character of the checksum changed"] = key => key[..^1] + (key[^1] == 'a' ? 'b' : 'a'),
        ["another case"] = key => key.ToUpperInvariant(),
        ["truncated"] = key => key[..^1],
        ["longer"] = key => key + "0",
        ["another prefix"] = key => "dxq_" + key[4..],
        ["the public id alone"] = key => key.Substring(4, 12),
        ["the hash that is stored"] = key => Convert.ToHexString(new KeyText("", key.Substring(16, 30)).SecretHash()),
        ["SQL"] = key => "dxp_' or '1'='1" + key[15..],
    };

    [Fact]
    public async Task A_revoked_key_is_refused_at_once_on_this_replica_and_within_seconds_on_others()
    {
        using var owner = await App.Organization(Name);
        var created = await (await owner.PostJson(Keys, new { name = "k" })).Json();
        var key = created.GetProperty("key").GetString()!;
        using var otherApp = new CatalogApp(Database);
        using var otherClient = otherApp.With(key);
        Assert.Equal(200, (int)(await otherClient.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        Assert.Equal(200, await Status(key));

        Assert.Equal(204, (int)(await owner.DeleteAsync($"{Keys}/{created.GetProperty("id").GetString()}", Ct)).StatusCode);

        Assert.Equal(401, await Status(key));
        var until = Environment.TickCount64 + 15_000;
        while ((int)(await otherClient.GetAsync("/api/v1/runs/", Ct)).StatusCode == 200)
        {
            Assert.True(Environment.TickCount64 < until, "The other replica still accepts the key.");
            await Task.Delay(500, Ct);
        }

        await (await owner.DeleteAsync($"{Keys}/{created.GetProperty("id").GetString()}", Ct)).Problem(404, "not_found");
        Assert.Equal("revoked", (await owner.GetJson(Keys)).GetProperty("items").EnumerateArray()
            .Single(item => item.GetProperty("id").GetString() == created.GetProperty("id").GetString()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_key_expires()
    {
        using var owner = await App.Organization(Name);
        var key = (await (await owner.PostJson(Keys, new { name = "k", expires_in_seconds = 2 })).Json()).GetProperty("key").GetString()!;
        Assert.Equal(200, await Status(key));

        await Task.Delay(2100, Ct);

        Assert.Equal(401, await Status(key));
    }

    [Fact]
    public async Task Rotation_creates_a_second_valid_key_and_never_a_third()
    {
        using var owner = await App.Organization(Name);
        var old = await (await owner.PostJson(Keys, new { name = "k", scopes = new[] { "read" } })).Json();
        var oldId = old.GetProperty("id").GetString();

        var created = await (await owner.PostAsync($"{Keys}/{oldId}/rotate?overlap_seconds=3", null, Ct)).Json();

        Assert.Equal(["read"], created.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()));
        Assert.Equal(
            (200, 200), (await Status(old.GetProperty("key").GetString()!), await Status(created.GetProperty("key").GetString()!)));
        await (await owner.PostAsync($"{Keys}/{oldId}/rotate", null, Ct)).Problem(409, "key_not_rotatable");
        await Task.Delay(3100, Ct);
        Assert.Equal(
            (401, 200), (await Status(old.GetProperty("key").GetString()!), await Status(created.GetProperty("key").GetString()!)));
        await (await owner.PostAsync($"{Keys}/{oldId}/rotate", null, Ct)).Problem(409, "key_not_rotatable");
        Assert.Equal(201, (int)(await owner.PostAsync($"{Keys}/{created.GetProperty("id").GetString()}/rotate", null, Ct)).StatusCode);
    }

    [Fact]
    public async Task Of_concurrent_rotations_exactly_one_succeeds()
    {
        using var owner = await App.Organization(Name);
        var id = (await (await owner.PostJson(Keys, new { name = "k" })).Json()).GetProperty("id").GetString();

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => owner.PostAsync($"{Keys}/{id}/rotate", null, Ct)));

        Assert.Equal(1, answers.Count(answer => (int)answer.StatusCode == 201));
        Assert.Equal(15, answers.Count(answer => (int)answer.StatusCode == 409));
    }

    [Theory]
    [InlineData("read", 200, 403, 403, 403)]
    [InlineData("write", 403, 201, 403, 403)]
    [InlineData("manage", 403, 403, 404, 403)]
    [InlineData("execute", 403, 403, 403, 404)]
    public async Task Scopes_limit_what_a_key_may_do(string scope, int read, int write, int manage, int execute)
    {
        using var owner = await App.Organization(Name);
        var key = (await (await owner.PostJson(Keys, new { name = "k", scopes = new[] { scope } })).Json()).GetProperty("key").GetString()!;
        using var client = App.With(key);

        Assert.Equal(read, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
        Assert.Equal(write, (int)(await client.PostJson("/api/v1/pipelines/", new { name = Name })).StatusCode);
        Assert.Equal(manage, (int)(await client.DeleteAsync("/api/v1/pipelines/absent", Ct)).StatusCode);
        Assert.Equal(execute, (int)(await client.PostAsync("/api/v1/connections/absent/test", null, Ct)).StatusCode);
    }

    [Fact]
    public async Task A_key_cannot_create_a_key_with_more_scopes()
    {
        using var owner = await App.Organization(Name);
        var manage = (await (await owner.PostJson(Keys, new { name = "m", scopes = new[] { "manage", "read" } })).Json()).GetProperty("key")
            .GetString()!;
        var execute = (await (await owner.PostJson(Keys, new { name = "e", scopes = new[] { "execute" } })).Json()).GetProperty("id")
            .GetString()!;
        using var client = App.With(manage);

        await (await client.PostJson(Keys, new { name = "k", scopes = new[] { "execute" } })).Problem(403, "forbidden");
        await (await client.PostAsync($"{Keys}/{execute}/rotate", null, Ct)).Problem(403, "forbidden");
        Assert.Equal(201, (int)(await client.PostJson(Keys, new { name = "k", scopes = new[] { "read" } })).StatusCode);
        await (await client.PostJson("/api/v1/organizations/", new { id = "x", name = "x" })).Problem(403, "forbidden");
        await (await owner.PostJson($"/api/v1/organizations/{Name}/api-keys", new { name = "x" })).Problem(403, "forbidden");
    }

    [Theory]
    [InlineData("""{"name":"k","scopes":["all"]}""")]
    [InlineData("""{"name":"k","scopes":[]}""")]
    [InlineData("""{"name":"k","scopes":[null]}""")]
    [InlineData("""{"name":"k","expires_in_seconds":0}""")]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"scopes":["read"]}""")]
    [InlineData("""{"name":"k","organization":"default"}""")]
    [InlineData("""{"name":"k","organization_id":"default"}""")]
    public async Task An_invalid_key_request_is_refused(string body) =>
        await (await Send(HttpMethod.Post, Keys, body)).Problem(422, "invalid");

    [Fact]
    public async Task A_repeated_request_does_not_show_the_key_again()
    {
        using var owner = await App.Organization(Name);
        owner.DefaultRequestHeaders.Add("Idempotency-Key", "once");

        Assert.Equal(201, (int)(await owner.PostJson(Keys, new { name = "k" })).StatusCode);
        await (await owner.PostJson(Keys, new { name = "k" })).Problem(409, "id_taken");

        Assert.Equal(2, (await owner.GetJson(Keys)).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task The_last_use_of_a_key_is_stored()
    {
        var used = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        using var owner = await App.Organization(Name);
        var id = (await owner.GetJson(Keys)).GetProperty("items")[0].GetProperty("id").GetString()!;
        var keys = new Catalog.Data.Organizations.ApiKeyRepository(Database.Database);

        await keys.SetLastUsed(Name, [(id, used)], Ct);
        await keys.SetLastUsed(Name, [(id, used.AddHours(-1))], Ct);

        Assert.Equal(used, (await keys.Find(Name, id, Ct))!.LastUsedAt);
        using (var ending = new CatalogApp(Database))
        {
            using var client = ending.With(owner.DefaultRequestHeaders.GetValues("X-API-KEY").Single());
            Assert.Equal(200, (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode);
            await ending.DisposeAsync();
        }

        Assert.True((await keys.Find(Name, id, Ct))!.LastUsedAt > used.AddDays(1));
    }

    [Fact]
    public async Task An_operator_can_create_a_key_for_an_organization_that_lost_its_own()
    {
        using var owner = await App.Organization(Name);
        await owner.DeleteAsync($"{Keys}/{(await owner.GetJson(Keys)).GetProperty("items")[0].GetProperty("id").GetString()}", Ct);
        await (await owner.GetAsync("/api/v1/runs/", Ct)).Problem(401, "unauthorized");

        var created = await (
            await Client.PostJson(
                $"/api/v1/organizations/{Name}/api-keys", new { name = "found again", scopes = new[] { "read", "manage" } })).Json();

        using var restored = App.With(created.GetProperty("key").GetString()!);
        Assert.Equal(Name, (await restored.GetJson("/api/v1/organizations/me")).GetProperty("id").GetString());
        await (await Client.PostJson("/api/v1/organizations/absent/api-keys", new { name = "k" })).Problem(404, "not_found");
    }

    private async Task<int> Status(string key)
    {
        using var client = App.Anonymous();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer " + key);
        return (int)(await client.GetAsync("/api/v1/runs/", Ct)).StatusCode is var read && read == 403 ? 200 : read;
    }

    [GeneratedRegex("^dxp_[0-9A-Za-z]{48}$")]
    private static partial Regex KeyFormat();
}
