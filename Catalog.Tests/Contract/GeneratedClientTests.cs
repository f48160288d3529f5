using Catalog.Tests.Support;

namespace Catalog.Tests.Contract;

/// <summary>Generates, compiles and runs a typed client of the OpenAPI document, and lints the document.</summary>
[Trait("Category", "Npm")]
[Trait("Category", "Slow")]
public sealed class GeneratedClientTests : IClassFixture<ClientPackage>, IClassFixture<SqliteTestDatabase>, IDisposable
{
    private readonly NpmPackage _package;
    private readonly CatalogApp _app;
    private readonly HttpClient _client;

    public GeneratedClientTests(ClientPackage package, SqliteTestDatabase database)
    {
        _package = package.Require();
        _app = new CatalogApp(database.Require());
        _client = _app.Anonymous();
    }

    [Fact]
    public async Task A_client_generated_from_the_document_compiles_and_talks_to_the_service()
    {
        await FetchDocument();

        await _package.Script("generate");
        await _package.Script("compile");
        await _package.Script("walk", ("CATALOG_URL", _client.BaseAddress!.ToString()), ("CATALOG_KEY", CatalogApp.Key));
    }

    [Fact]
    public async Task A_linter_finds_nothing_in_the_document()
    {
        await FetchDocument();

        await _package.Script("lint");
    }

    private async Task FetchDocument()
    {
        var ct = TestContext.Current.CancellationToken;
        var document = await _client.GetStringAsync("/openapi/v1.json", ct);
        await File.WriteAllTextAsync(Path.Combine(_package.Directory, "openapi.json"), document, ct);
    }

    public void Dispose()
    {
        _client.Dispose();
        _app.Dispose();
    }
}
