namespace Catalog.Api.Secrets;

/// <summary>Registers <see cref="SecretResolver"/>.</summary>
internal static class SecretServices
{
    public static IServiceCollection AddSecrets(this IServiceCollection services, SecretSettings settings)
    {
        if (settings.Vault is { } vault)
        {
            VaultHttp.Add(services, vault);
            services.AddSingleton(vault).AddSingleton<VaultToken>().AddSingleton<VaultSecrets>();
        }

        return services.AddSingleton(settings).AddSingleton(provider => new SecretResolver(
            settings, provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetService<VaultSecrets>()));
    }
}
