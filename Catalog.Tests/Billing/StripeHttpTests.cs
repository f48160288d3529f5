using System.Diagnostics;
using Catalog.Api.Billing;
using Catalog.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Polly.CircuitBreaker;

namespace Catalog.Tests.Billing;

/// <summary>Retries, time limits and circuit breaker of the HTTP client for Stripe.</summary>
public sealed class StripeHttpTests : IClassFixture<FakeStripe>, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(4);
    private readonly FakeStripe _stripe;
    private readonly ServiceProvider _services;
    private readonly HttpClient _client;

    public StripeHttpTests(FakeStripe stripe)
    {
        _stripe = stripe;
        _stripe.Reset();
        var settings = stripe.Settings(("DATAXPIPE_STRIPE_TIMEOUT", $"{Limit.TotalSeconds}"))
            .Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value));
        var services = new ServiceCollection();
        services.AddStripeHttp(StripeSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())!);
        _services = services.BuildServiceProvider();
        _client = _services.GetRequiredService<IHttpClientFactory>().CreateClient(StripeHttp.Name);
        _stripe.Customers["cus_1"] = [];
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", null, StripeFault.InternalError, 4)]
    [InlineData("GET", null, StripeFault.RateLimited, 4)]
    [InlineData("GET", null, StripeFault.Reset, 4)]
    [InlineData("GET", null, StripeFault.ResetsMidBody, 4)]
    [InlineData("GET", null, StripeFault.Unauthorized, 1)]
    [InlineData("GET", null, StripeFault.Redirect, 1)]
    [InlineData("POST", "k", StripeFault.RateLimited, 4)]
    [InlineData("POST", "k", StripeFault.Reset, 4)]
    [InlineData("POST", "k", StripeFault.ResetAfter, 4)]
    [InlineData("POST", "k", StripeFault.InternalError, 1)]
    [InlineData("POST", "k", StripeFault.Unauthorized, 1)]
    [InlineData("POST", null, StripeFault.RateLimited, 1)]
    [InlineData("POST", null, StripeFault.Reset, 1)]
    [InlineData("DELETE", null, StripeFault.RateLimited, 1)]
    public async Task Only_requests_that_are_safe_to_repeat_are_retried(string method, string? key, StripeFault fault, int times)
    {
        _stripe.FaultFor = (_, _, _) => fault;

        try
        {
            await SendRequest(method, key);
        }
        catch (HttpRequestException)
        {
            // Only the number of attempts matters here.
        }

        Assert.Equal(times, _stripe.Requests.Count);
    }

    [Theory]
    [InlineData(StripeFault.NoResponse)]
    [InlineData(StripeFault.StopsMidBody)]
    [InlineData(StripeFault.ResetsMidBody)]
    [InlineData(StripeFault.Reset)]
    public async Task An_incomplete_answer_is_retried_within_the_time_limit(StripeFault fault)
    {
        _stripe.FaultFor = (number, _, _) => number == 1 ? fault : StripeFault.None;

        using var answer = await SendRequest("GET");

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(2, _stripe.Requests.Count);
    }

    [Theory]
    [InlineData(StripeFault.NoResponse)]
    [InlineData(StripeFault.StopsMidBody)]
    public async Task A_request_ends_within_the_time_limit(StripeFault fault)
    {
        _stripe.FaultFor = (_, _, _) => fault;
        var watch = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<Exception>(() => SendRequest("GET"));

        Assert.InRange(watch.Elapsed, Limit / 2, Limit * 2);
    }

    [Fact]
    public async Task The_Stripe_Notice_header_is_removed_because_the_library_would_print_it()
    {
        using var answer = await SendRequest("GET");

        Assert.False(answer.Headers.Contains("Stripe-Notice"));
    }

    [Fact]
    public async Task After_repeated_failures_the_circuit_opens()
    {
        _stripe.FaultFor = (_, _, _) => StripeFault.Reset;
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Record.ExceptionAsync(() => SendRequest("GET")).AsTask()));
        var attempts = _stripe.Requests.Count;
        Assert.InRange(attempts, 100, 159);

        _stripe.FaultFor = (_, _, _) => StripeFault.None;
        await Assert.ThrowsAsync<BrokenCircuitException>(() => SendRequest("GET"));
        Assert.Equal(attempts, _stripe.Requests.Count);
    }

    public void Dispose()
    {
        _client.Dispose();
        _services.Dispose();
    }

    private async Task<HttpResponseMessage> SendRequest(string method, string? key = null)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method), $"{_stripe.Endpoint}/v1/customers{(method == "POST" ? "" : "/cus_1")}");
        request.Headers.Authorization = new("Bearer", FakeStripe.Key);
        request.Headers.Add("Stripe-Version", "2026-10-28.endive");
        if (method == "POST")
        {
            request.Content = new FormUrlEncodedContent([new("name", "x")]);
        }

        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", $"{key}{Guid.NewGuid():N}");
        }

        return await _client.SendAsync(request, Ct);
    }
}
