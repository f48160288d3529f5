using Catalog.Api;
using Catalog.Api.Authentication;
using Catalog.Api.Authentication.Oidc;
using Catalog.Api.Background;
using Catalog.Api.Billing;
using Catalog.Api.Checks;
using Catalog.Api.Connections;
using Catalog.Api.DatasetReadiness;
using Catalog.Api.Dbt;
using Catalog.Api.Demo;
using Catalog.Api.Executions;
using Catalog.Api.Http;
using Catalog.Api.Lineage;
using Catalog.Api.Marquez;
using Catalog.Api.OpenApi;
using Catalog.Api.OpenLineage;
using Catalog.Api.Operations;
using Catalog.Api.Organizations;
using Catalog.Api.Otlp;
using Catalog.Api.Overview;
using Catalog.Api.Pages;
using Catalog.Api.Pipelines;
using Catalog.Api.Runs;
using Catalog.Api.Search;
using Catalog.Api.Secrets;
using Catalog.Api.SignIn;
using Catalog.Data;
using Catalog.Data.Database;
using Catalog.Data.Executions;
using Catalog.Data.Ingest;
using Catalog.Data.Migrations;
using Catalog.Data.Settings;

try
{
    var isDemo = DemoFolder.IsAskedFor(args, out var settingArgs);
    var builder = FrameworkSettings.CreateBuilder(settingArgs);
    using var demo = isDemo ? DemoFolder.Create(builder) : null;
    var database = DatabaseSettings.Read(builder.Configuration);
    var settings = ServiceSettings.Read(builder.Configuration, database.Engine);
    if (settings.Urls is [ServiceSettings.DefaultUrl])
    {
        builder.WebHost.UseUrls(ServiceSettings.DefaultUrl);
    }

    builder.AddHttp(settings);
    builder.AddTelemetry(TelemetrySettings.Read(builder.Configuration, settings.Urls));
    builder.Services.AddCallers().AddTokenValidation(OidcSettings.Read(builder.Configuration));
    builder.Services.AddCatalogData(database, IngestSettings.Read(builder.Configuration));
    builder.Services.AddRecurring<RowSecurityMonitor>().AddRecurring<Readiness>();
    builder.Services.AddConnections(settings, database).AddOrganizations();
    builder.Services.AddSingleton<ReadinessWait>();
    builder.Services.AddExecutions(ExecutionSettings.Read(builder.Configuration));
    builder.Services.AddSecrets(SecretSettings.Read(builder.Configuration));
    builder.Services.AddBilling(StripeSettings.Read(builder.Configuration));
    builder.Services.AddSignIn().AddOidcSignIn(OidcSignInSettings.Read(builder.Configuration)).AddPages();
    builder.Services.AddMarquez();
    builder.Services.AddOpenApiDocument();
    DemoFolder.AddTo(builder.Services, demo);

    var app = builder.Build();
    app.WarnAboutUnknownSettings();
    await app.UpgradeSchemaAtStart();
    await app.Services.GetRequiredService<RowSecurityMonitor>().Start(app.Lifetime.ApplicationStopping);
    await app.Services.GetRequiredService<Readiness>().Check(app.Lifetime.ApplicationStopping);
    await app.Services.GetRequiredService<DatabaseKeyRing>().Run(app.Lifetime.ApplicationStopping);
    await app.Services.GetRequiredService<EndedSessions>().Run(app.Lifetime.ApplicationStopping);

    app.UseHttp();
    var routes = app.MapGroup("").AnswersHead();
    routes.MapOperations();
    routes.MapMetrics();
    routes.MapStripeWebhook();
    routes.MapOtlp();
    routes.MapOpenApi("/openapi/{documentName:regex(^v1$)}.json");
    var api = routes.MapGroup("/api/v1");
    api.MapOverview();
    api.MapSearch();
    api.MapPipelines();
    api.MapPipelineAnswers();
    api.MapRuns();
    api.MapChecks();
    api.MapCheckResults();
    api.MapCheckStates();
    api.MapExecutions();
    api.MapConnections();
    api.MapLineage();
    api.MapReadiness();
    api.MapOpenLineage();
    api.MapDbt();
    api.MapRunImpact();
    api.MapRunLineage();
    api.MapOrganizations();
    api.MapApiKeys();
    api.MapBilling();
    api.MapMarquez();
    routes.MapApiReference();
    routes.MapPages();
    app.BuildEndpoints();

    var background = app.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
    await app.RunAsync();
    return background.Exists(work => work.ExecuteTask is { IsFaulted: true }) ? 1 : 0;
}
// The service was told to stop before it had started.
catch (OperationCanceledException)
{
    return 0;
}
// A start-up error is reported to the operator in one line that says what to do.
catch (Exception failure) when (failure is SettingException or MigrationException)
{
    Console.Error.WriteLine($"catalog: {failure.Message}");
    return 2;
}
catch (Exception failure) when (FrameworkSettings.Explain(failure) is not null)
{
    Console.Error.WriteLine($"catalog: {FrameworkSettings.Explain(failure)}");
    return 2;
}
catch (Exception failure) when (failure is IOException or InvalidOperationException or System.Net.Sockets.SocketException)
{
    Console.Error.WriteLine(
        $"catalog: the service could not start: {failure.Message} Check ASPNETCORE_URLS and DATAXPIPE_METRICS_PORT, and that no other "
            + "process uses the address.");
    return 1;
}
// Report the error in one line without a stack trace, and never exit with 0.
catch (Exception fault)
{
    Console.Error.WriteLine($"catalog: the service stopped after an unexpected error: {fault.GetType().Name}: {fault.Message}");
    return 1;
}
