using System.Text.Json;
using Catalog.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Catalog.Tests.Executions;

/// <summary>What the tests of executions share: a service with scripted checks, and requests.</summary>
public abstract class ExecutionTestBase : IDisposable
{
    private readonly List<CatalogApp> _apps = [];

    protected ExecutionTestBase(TestDatabase database)
    {
        Database = database;
        App = Start();
        Client = App.Client();
    }

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected TestDatabase Database { get; }

    protected CatalogApp App { get; private set; }

    protected HttpClient Client { get; private set; }

    internal ScriptedChecks Script { get; } = new();

    /// <summary>A name that no other test uses.</summary>
    protected string Name { get; } = $"n{Guid.NewGuid():N}";

    /// <summary>Starts another replica.</summary>
    protected CatalogApp Start(params (string Name, string Value)[] settings)
    {
        var app = Script.App(Database, settings);
        _apps.Add(app);
        return app;
    }

    /// <summary>Replaces the service by one with other settings.</summary>
    protected void Restart(params (string Name, string Value)[] settings)
    {
        Client.Dispose();
        App.Dispose();
        App = Start(settings);
        Client = App.Client();
    }

    /// <summary>Registers a pipeline with one check for each kind, whose id is its kind and a number.</summary>
    protected async Task Pipeline(params string[] kinds)
    {
        var checks = kinds.Select((kind, i) =>
            new { id = $"{kind}-{i}", kind, dataset = $"t{i}", connection_id = kind == "external" ? null : "w" });
        Assert.True((await Client.PostJson("/api/v1/pipelines/", new { name = Name, checks })).IsSuccessStatusCode);
    }

    protected async Task<HttpResponseMessage> Execute(object? body = null, int? wait = 10, string? path = null, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path ?? $"/api/v1/pipelines/{Name}/checks/execute");
        request.Content = body is null ? null : new StringContent(JsonSerializer.Serialize(body), null, "application/json");
        if (wait is not null)
        {
            request.Headers.Add("Prefer", $"wait={wait}");
        }

        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await Client.SendAsync(request, Ct);
    }

    /// <summary>Reads an execution until it has ended.</summary>
    protected Task<JsonElement> Ended(string id, HttpClient? client = null) =>
        Until(id, execution => execution.GetProperty("finished_at").ValueKind != JsonValueKind.Null, client);

    /// <summary>Reads an execution until it is as a test waits for.</summary>
    protected async Task<JsonElement> Until(string id, Func<JsonElement, bool> condition, HttpClient? client = null)
    {
        var execution = await (client ?? Client).GetJson($"/api/v1/executions/{id}");
        for (var tries = 0; !condition(execution); tries++)
        {
            Assert.True(tries < 400, $"It is still {execution}\n{string.Join('\n', App.Log.At(LogLevel.Warning))}");
            await Task.Delay(50, Ct);
            execution = await (client ?? Client).GetJson($"/api/v1/executions/{id}");
        }

        return execution;
    }

    /// <summary>Waits until a condition holds.</summary>
    protected static async Task Until(Func<bool> condition, string what)
    {
        for (var tries = 0; !condition(); tries++)
        {
            Assert.True(tries < 400, what);
            await Task.Delay(50, Ct);
        }
    }

    protected static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    /// <summary>Runs a statement in the organization "default".</summary>
    protected Task<int> Sql(string sql, object? parameters = null) =>
        Database.Database.Write("default", session => session.Execute(sql, parameters, Ct), Ct);

    public void Dispose()
    {
        Client.Dispose();
        _apps.ForEach(app => app.Dispose());
        GC.SuppressFinalize(this);
    }
}
