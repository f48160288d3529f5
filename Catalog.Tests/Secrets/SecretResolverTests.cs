using Catalog.Api.Secrets;
using Catalog.Data.Warehouses;
using Catalog.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Catalog.Tests.Secrets;

/// <summary>Secrets from a stand-in for Vault, from environment variables and from files.</summary>
public sealed class SecretResolverTests : IAsyncLifetime
{
    private readonly FakeVault _vault = new();
    private readonly ShiftedTime _time = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("catalog-secrets-").FullName;
    private readonly List<ServiceProvider> _providers = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _vault.InitializeAsync();
        _vault.Tokens[FakeVault.Token] = true;
        _vault.Secrets["secret/data/default/db"] = FakeVault.Version2(("password", "two"), ("user", "u"));
        _vault.Secrets["vault/data/db-password"] = FakeVault.Version2(("password", "only"));
        _vault.Secrets["secret/data/acme/db"] = FakeVault.Version2(("password", "of acme"));
        _vault.Secrets["kv/acme/db"] = FakeVault.Version1(30, ("value", "one"), ("user", "u"));
    }

    public async ValueTask DisposeAsync()
    {
        _providers.ForEach(provider => provider.Dispose());
        await _vault.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("default", "secret/data/default/db#password", "two")]
    [InlineData("default", "db#password", "two")]
    [InlineData("default", "vault/data/db-password", "only")]
    [InlineData("acme", "db#password", "of acme")]
    [InlineData("acme", "secret/data/acme/db", "of acme")]
    public async Task A_reference_names_a_secret_of_the_organization(string organization, string reference, string value) =>
        Assert.Equal(value, await References().Resolve(organization, reference, Ct));

    [Fact]
    public async Task Version_1_is_read_and_kept_no_longer_than_its_lease()
    {
        var references = References(("DATAXPIPE_VAULT_PATHS", "kv/{organization}/"));
        Assert.Equal("one", await references.Resolve("acme", "db", Ct));
        _vault.Secrets["kv/acme/db"] = FakeVault.Version1(30, ("value", "new"));
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal("one", await references.Resolve("acme", "db", Ct));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("new", await references.Resolve("acme", "db", Ct));
    }

    [Fact]
    public async Task A_forgotten_secret_is_read_again()
    {
        var references = References();
        Assert.Equal("two", await references.Resolve("default", "db#password", Ct));
        _vault.Secrets["secret/data/default/db"] = FakeVault.Version2(("password", "rotated"));
        Assert.Equal("two", await references.Resolve("default", "db#password", Ct));
        references.Forget("default", "db#password");
        Assert.Equal("rotated", await references.Resolve("default", "db#password", Ct));
    }

    [Theory]
    [InlineData("acme", "secret/data/default/db#password")]
    [InlineData("acme", "vault/data/db-password")]
    [InlineData("default", "secret/data/acme/db#password")]
    [InlineData("acme", "secret/data/acme/../default/db#password")]
    [InlineData("acme", "../default/db#password")]
    [InlineData("acme", "secret/data/acme/%2e%2e/default/db#password")]
    [InlineData("acme", "secret/data/acme//../default/db#password")]
    [InlineData("acme", "secret/data/acme/./db#password")]
    [InlineData("acme", "secret/data/acme#password")]
    [InlineData("acme", "secret/data/acme-2/db#password")]
    [InlineData("acme", "secret/data/acme/db?version=1#password")]
    [InlineData("acme", "secret/data/acme/db\\..\\x#password")]
    [InlineData("acme", "secret/metadata/acme/db")]
    [InlineData("acme", "/secret/data/default/db")]
    [InlineData("acme", "http://127.0.0.1/x")]
    [InlineData("..", "db#password")]
    [InlineData("acme/../default", "db#password")]
    public async Task A_path_outside_the_organization_is_refused_without_a_request(string organization, string reference)
    {
        Assert.Contains("not allowed to read this path", await Failure(References(), organization, reference), StringComparison.Ordinal);
        Assert.Empty(_vault.Requests);
    }

    [Theory]
    [InlineData("sealed", "Vault is sealed")]
    [InlineData("forbidden", "forbids")]
    [InlineData("missing", "is not found")]
    [InlineData("deleted", "version is deleted")]
    [InlineData("key", "no text with this key")]
    [InlineData("slow", "is slow")]
    [InlineData("slow body", "is slow")]
    [InlineData("reset", "is unreachable")]
    [InlineData("html", "is not valid")]
    [InlineData("list", "is not valid")]
    [InlineData("500", "is not valid")]
    [InlineData("huge", "larger than 1 MiB")]
    [InlineData("redirect", "redirects to another address")]
    [InlineData("circle", "too many redirects")]
    [InlineData("token", "expired or was revoked")]
    public async Task Each_failure_has_its_words(string fault, string words)
    {
        var references = References(("DATAXPIPE_VAULT_TIMEOUT", "2"));
        _vault.Secrets["secret/data/default/deleted"] = """{"data":{"data":null,"metadata":{"version":1}}}""";
        _vault.IsSealed = fault == "sealed";
        _vault.Tokens[FakeVault.Token] = fault != "token";
        _vault.Fault = context => VaultFault.Respond(context, fault);

        var message = await Failure(references, "default", fault switch
        {
            "missing" => "nothing#password",
            "deleted" => "deleted#password",
            "key" => "db#nothing",
            _ => "db#password",
        });

        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.All(new[] { FakeVault.Canary, "two", "127.0.0.1", "secret/data" }, secret => Assert.DoesNotContain(secret, message));
    }

    [Fact]
    public async Task A_redirect_to_the_same_address_is_followed()
    {
        _vault.Fault = context =>
        {
            if (context.Request.Path.Value!.EndsWith("/other", StringComparison.Ordinal))
            {
                context.Response.Redirect("/v1/secret/data/default/db", permanent: false, preserveMethod: true);
                return Task.FromResult(true);
            }

            return Task.FromResult(false);
        };
        Assert.Equal("two", await References().Resolve("default", "other#password", Ct));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_revoked_token_is_replaced_by_a_new_sign_in(bool isKubernetes)
    {
        var references = isKubernetes ? Kubernetes() : References(("DATAXPIPE_VAULT_TOKEN", ""), ("DATAXPIPE_VAULT_ROLE_ID", "role-1"),
            ("DATAXPIPE_VAULT_SECRET_ID", FakeVault.SecretId), ("DATAXPIPE_VAULT_TTL", "0"));
        Assert.Equal("two", await references.Resolve("default", "db#password", Ct));
        foreach (var token in _vault.Tokens.Keys)
        {
            _vault.Tokens[token] = false;
        }

        Assert.Equal("two", await references.Resolve("default", "db#password", Ct));
        Assert.Equal(2, _vault.Requests.Count(request => request.EndsWith("/login", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_wrong_sign_in_says_so()
    {
        var references = References(("DATAXPIPE_VAULT_TOKEN", ""), ("DATAXPIPE_VAULT_ROLE_ID", "role-2"),
            ("DATAXPIPE_VAULT_SECRET_ID", FakeVault.SecretId));
        Assert.Contains("refuses the sign-in", await Failure(references, "default", "db#password"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_renewed_after_two_thirds_of_its_lease()
    {
        _vault.LeaseSeconds = 90;
        var references = References(("DATAXPIPE_VAULT_TTL", "0"));
        int Renewals() => _vault.Requests.Count(request => request == "POST auth/token/renew-self");
        await references.Resolve("default", "db#password", Ct);
        _time.Advance(TimeSpan.FromSeconds(59));
        await references.Resolve("default", "db#password", Ct);
        Assert.Equal(1, Renewals());
        _time.Advance(TimeSpan.FromSeconds(2));
        await references.Resolve("default", "db#password", Ct);
        Assert.Equal(2, Renewals());
    }

    [Fact]
    public async Task A_token_file_is_read_again_when_the_token_was_replaced()
    {
        var file = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(file, FakeVault.Token + "\n", Ct);
        var references = References(("DATAXPIPE_VAULT_TOKEN", ""), ("DATAXPIPE_VAULT_TOKEN_FILE", file), ("DATAXPIPE_VAULT_TTL", "0"));
        await references.Resolve("default", "db#password", Ct);
        (_vault.Tokens[FakeVault.Token], _vault.Tokens["hvs.next"]) = (false, true);
        await File.WriteAllTextAsync(file, "hvs.next", Ct);
        Assert.Equal("two", await references.Resolve("default", "db#password", Ct));
    }

    [Fact]
    public async Task An_unreachable_vault_says_so()
    {
        var references = References();
        await _vault.DisposeAsync();
        Assert.Contains("is unreachable", await Failure(references, "default", "db#password"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_settings_nothing_is_read()
    {
        var references = References(("DATAXPIPE_VAULT_ADDRESS", ""), ("DATAXPIPE_VAULT_TOKEN", ""), ("WAREHOUSE_PASSWORD", "x"));
        Assert.Contains("No Vault is configured", await Failure(references, "default", "db#password"), StringComparison.Ordinal);
        Assert.Contains("not allowed to read this environment", await Failure(references, "default", "env:WAREHOUSE_PASSWORD"),
            StringComparison.Ordinal);
        Assert.Contains("not allowed to read this file", await Failure(references, "default", "file:/etc/hostname"),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("default", "env:WAREHOUSE_A", "from a variable")]
    [InlineData("default", "env:WAREHOUSE_B", null)]
    [InlineData("default", "env:DATAXPIPE_VAULT_TOKEN", null)]
    [InlineData("default", "env:WAREHOUSE_:A", null)]
    [InlineData("acme", "env:WAREHOUSE_A", null)]
    public async Task Variables_with_the_prefix_are_read_by_the_organization_default(
        string organization, string reference, string? value) =>
        await AssertValue(value, References(("DATAXPIPE_SECRET_ENV_PREFIX", "WAREHOUSE_"), ("WAREHOUSE_A", "from a variable")),
            organization, reference);

    [Theory]
    [InlineData("acme", "acme/a", "from a file")]
    [InlineData("default", "acme/a", null)]
    [InlineData("acme", "acme/b", null)]
    [InlineData("acme", "other/a", null)]
    [InlineData("acme", "acme/../other/a", null)]
    [InlineData("acme", "acme//a", null)]
    [InlineData("acme", "acme-2/a", null)]
    public async Task Files_in_the_folder_of_the_organization_are_read(string organization, string path, string? value)
    {
        foreach (var name in new[] { "acme", "other", "acme-2" })
        {
            Directory.CreateDirectory(Path.Combine(_folder, name));
            await File.WriteAllTextAsync(Path.Combine(_folder, name, "a"), "from a file\n", Ct);
        }

        await AssertValue(value, References(("DATAXPIPE_SECRET_FOLDER", $"{_folder}/{{organization}}")), organization,
            $"file:{_folder}/{path}");
    }

    private static async Task AssertValue(string? value, SecretResolver references, string organization, string reference)
    {
        if (value is null)
        {
            Assert.NotEmpty(await Failure(references, organization, reference));
        }
        else
        {
            Assert.Equal(value, await references.Resolve(organization, reference, Ct));
        }
    }

    private static async Task<string> Failure(SecretResolver references, string organization, string reference)
    {
        var exception = await Assert.ThrowsAsync<WarehouseException>(() => references.Resolve(organization, reference, Ct));
        Assert.Equal(WarehouseProblem.SecretUnavailable, exception.Problem);
        return exception.Message;
    }

    private SecretResolver Kubernetes()
    {
        var file = Path.Combine(_folder, "jwt");
        File.WriteAllText(file, FakeVault.Jwt + "\n");
        return References(("DATAXPIPE_VAULT_TOKEN", ""), ("DATAXPIPE_VAULT_KUBERNETES_ROLE", "catalog"),
            ("DATAXPIPE_VAULT_KUBERNETES_TOKEN_FILE", file), ("DATAXPIPE_VAULT_TTL", "0"));
    }

    private SecretResolver References(params (string Name, string Value)[] more)
    {
        var settings = new Dictionary<string, string?>
        {
            ["DATAXPIPE_VAULT_ADDRESS"] = _vault.Endpoint,
            ["DATAXPIPE_VAULT_TOKEN"] = FakeVault.Token,
        };
        foreach (var (name, value) in more)
        {
            settings[name] = value;
        }

        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var provider = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSingleton<TimeProvider>(_time)
            .AddSecrets(SecretSettings.Read(configuration)).BuildServiceProvider();
        _providers.Add(provider);
        return provider.GetRequiredService<SecretResolver>();
    }
}
