using Catalog.Api.Authentication;
using Catalog.Api.Authentication.Oidc;
using Catalog.Api.Billing;
using Catalog.Api.Checks;
using Catalog.Api.Connections;
using Catalog.Api.Http;
using Catalog.Api.Lineage;
using Catalog.Api.OpenApi;
using Catalog.Api.Operations;
using Catalog.Api.Organizations;
using Catalog.Api.Pipelines;
using Catalog.Api.Runs;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Ingest;
using Catalog.Data.Migrations;

try
{
    // Settings are judged once, at start; watching their files would cost more the more is written beside them, as by SQLite.
    var builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
    var database = DatabaseSettings.Read(builder.Configuration);
    var settings = ServiceSettings.Read(builder.Configuration, database.Engine);
    if (settings.Urls is [ServiceSettings.DefaultUrl])
    {
        builder.WebHost.UseUrls(ServiceSettings.DefaultUrl);
    }

    builder.AddHttp(settings);
    builder.Services.AddCallers().AddTokenSignIn(OidcSettings.Read(builder.Configuration));
    builder.Services.AddCatalogData(database, IngestSettings.Read(builder.Configuration));
    builder.Services.AddSingleton<Readiness>();
    builder.Services.AddSingleton<IsolationWatch>().AddHostedService(provider => provider.GetRequiredService<IsolationWatch>());
    builder.Services.AddPipelines().AddRuns().AddChecks().AddCheckResults().AddConnections(settings, database).AddLineage().AddOrganizations();
    builder.Services.AddBilling(StripeSettings.Read(builder.Configuration));
    builder.Services.AddOpenApiDocument();

    var app = builder.Build();
    await app.BringOwnSchemaToHead();

    app.UseHttp();
    var routes = app.MapGroup("").AnswersHead();
    routes.MapOperations();
    routes.MapStripeNotices();
    routes.MapOpenApi("/openapi/{documentName:regex(^v1$)}.json");
    var api = routes.MapGroup("/api/v1");
    api.MapPipelines();
    api.MapRuns();
    api.MapChecks();
    api.MapCheckResults();
    api.MapConnections();
    api.MapLineage();
    api.MapOrganizations();
    api.MapApiKeys();
    api.MapBilling();

    await app.RunAsync();
    return 0;
}
// Asked to stop before it had started.
catch (OperationCanceledException)
{
    return 0;
}
// What stands against a start is for the operator: one line that says what to do.
catch (Exception refusal) when (refusal is SettingException or MigrationException)
{
    Console.Error.WriteLine($"catalog: {refusal.Message}");
    return 2;
}
catch (Exception refusal) when (refusal is IOException or InvalidOperationException or System.Net.Sockets.SocketException)
{
    Console.Error.WriteLine($"catalog: the service could not start: {refusal.Message} Check ASPNETCORE_URLS, and that nothing else serves there.");
    return 1;
}
