using Catalog.Api.Background;
using Catalog.Api;
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
    var builder = FrameworkSettings.Builder(args);
    var database = DatabaseSettings.Read(builder.Configuration);
    var settings = ServiceSettings.Read(builder.Configuration, database.Engine);
    if (settings.Urls is [ServiceSettings.DefaultUrl])
    {
        builder.WebHost.UseUrls(ServiceSettings.DefaultUrl);
    }

    builder.AddHttp(settings);
    builder.Services.AddCallers().AddTokenSignIn(OidcSettings.Read(builder.Configuration));
    builder.Services.AddCatalogData(database, IngestSettings.Read(builder.Configuration));
    builder.Services.AddRecurring<IsolationWatch>().AddRecurring<Readiness>();
    builder.Services.AddConnections(settings, database).AddOrganizations();
    builder.Services.AddBilling(StripeSettings.Read(builder.Configuration));
    builder.Services.AddOpenApiDocument();

    var app = builder.Build();
    app.WarnOfUnreadSettings();
    await app.BringOwnSchemaToHead();
    await app.Services.GetRequiredService<IsolationWatch>().Begin(app.Lifetime.ApplicationStopping);
    await app.Services.GetRequiredService<Readiness>().Look(app.Lifetime.ApplicationStopping);

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

    var background = app.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
    await app.RunAsync();
    return background.Exists(work => work.ExecuteTask is { IsFaulted: true }) ? 1 : 0;
}
// Asked to stop before it had started.
catch (OperationCanceledException)
{
    return 0;
}
// Start-up errors are reported to the operator: one line that says what to do.
catch (Exception refusal) when (refusal is SettingException or MigrationException)
{
    Console.Error.WriteLine($"catalog: {refusal.Message}");
    return 2;
}
catch (Exception refusal) when (FrameworkSettings.Refusal(refusal) is not null)
{
    Console.Error.WriteLine($"catalog: {FrameworkSettings.Refusal(refusal)}");
    return 2;
}
catch (Exception refusal) when (refusal is IOException or InvalidOperationException or System.Net.Sockets.SocketException)
{
    Console.Error.WriteLine($"catalog: the service could not start: {refusal.Message} Check ASPNETCORE_URLS, and that nothing else serves there.");
    return 1;
}
// Never a stack trace, and never an exit code of success.
catch (Exception fault)
{
    Console.Error.WriteLine($"catalog: the service had to end: {fault.GetType().Name}: {fault.Message}");
    return 1;
}
