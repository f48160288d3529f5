using Catalog.Api.Secrets;
using Catalog.Data.Settings;
using Microsoft.Extensions.Configuration;

namespace Catalog.Tests.Secrets;

[Trait("Category", "Fast")]
public sealed class SecretSettingsTests
{
    [Theory]
    [InlineData("DATAXPIPE_VAULT_ADDRESS=http://vault.example;DATAXPIPE_VAULT_TOKEN=t", "https://")]
    [InlineData("DATAXPIPE_VAULT_ADDRESS=https://u:p@vault.example;DATAXPIPE_VAULT_TOKEN=t", "https://")]
    [InlineData("DATAXPIPE_VAULT_ADDRESS=https://vault.example", "exactly one")]
    [InlineData("DATAXPIPE_VAULT_ADDRESS=https://vault.example;DATAXPIPE_VAULT_TOKEN=t;DATAXPIPE_VAULT_ROLE_ID=r", "exactly one")]
    [InlineData("DATAXPIPE_VAULT_TOKEN=t", "DATAXPIPE_VAULT_ADDRESS is not")]
    [InlineData("DATAXPIPE_VAULT_ADDRESS=https://vault.example;DATAXPIPE_VAULT_ROLE_ID=r", "DATAXPIPE_VAULT_SECRET_ID is missing")]
    [InlineData("DATAXPIPE_VAULT_ADDRESS=https://vault.example;DATAXPIPE_VAULT_TOKEN=a b", "visible ASCII")]
    [InlineData("DATAXPIPE_VAULT_ADDRESS=https://v;DATAXPIPE_VAULT_TOKEN=t;DATAXPIPE_VAULT_PATHS=secret/data/,secret/data/{organization}/",
        "all organizations")]
    [InlineData("DATAXPIPE_VAULT_ADDRESS=https://v;DATAXPIPE_VAULT_TOKEN=t;DATAXPIPE_VAULT_PATHS=secret/data/x-{organization}/",
        "is exactly {organization}")]
    [InlineData("DATAXPIPE_VAULT_ADDRESS=https://v;DATAXPIPE_VAULT_TOKEN=t;DATAXPIPE_VAULT_PATHS=secret/../x", "must be paths")]
    [InlineData("DATAXPIPE_VAULT_TIMEOUT=0;DATAXPIPE_VAULT_ADDRESS=https://v;DATAXPIPE_VAULT_TOKEN=t", "1 to 30")]
    [InlineData("DATAXPIPE_VAULT_TTL=4000", "0 to 3600")]
    [InlineData("DATAXPIPE_SECRET_ENV_PREFIX=DATAXPIPE_", "a setting of the service")]
    [InlineData("DATAXPIPE_SECRET_ENV_PREFIX=DATA", "a setting of the service")]
    [InlineData("DATAXPIPE_SECRET_ENV_PREFIX=AB", "at least 4")]
    [InlineData("DATAXPIPE_SECRET_FOLDER=secrets", "absolute path")]
    [InlineData("DATAXPIPE_SECRET_FOLDER=/", "absolute path")]
    [InlineData("DATAXPIPE_SECRET_FOLDER=/run/../etc", "absolute path")]
    public void A_setting_that_cannot_be_used_stops_the_start(string settings, string words)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Split(';')
            .Select(pair => KeyValuePair.Create(pair[..pair.IndexOf('=', StringComparison.Ordinal)],
                (string?)pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..]))).Build();
        Assert.Contains(words, Assert.Throws<SettingException>(() => SecretSettings.Read(configuration)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vault/data/db-password", true)]
    [InlineData("path#key", true)]
    [InlineData("env:NAME", true)]
    [InlineData("file:/run/secrets/x", true)]
    [InlineData("file:x", false)]
    [InlineData("hunter2", false)]
    [InlineData("http://x/y", false)]
    public void A_reference_is_recognized(string text, bool isPossible) => Assert.Equal(isPossible, SecretResolver.IsPossible(text));
}
