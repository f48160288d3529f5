using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace Catalog.Api.Billing;

/// <summary>
/// The HTTP client for Stripe. It follows no redirects, limits the size of a response and buffers it completely. A
/// request is tried up to four times within DATAXPIPE_STRIPE_TIMEOUT, each attempt for at most half of it. If at least
/// 100 attempts were made within one minute and half of them failed, nothing is sent for five seconds.
/// </summary>
internal static class StripeHttp
{
    public const string Name = "stripe";
    private const int MaxResponseBytes = 4 * 1024 * 1024;

    public static void AddStripeHttp(this IServiceCollection services, StripeSettings settings)
    {
        // The factory's request log is removed, because StripeApi logs failed requests.
        var client = services.AddHttpClient(Name).RemoveAllLoggers()
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                ActivityHeadersPropagator = null,
                ConnectTimeout = TimeSpan.FromSeconds(5),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            })
            // The handler is never replaced; PooledConnectionLifetime already makes it follow DNS changes.
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        client.AddStandardResilienceHandler(options =>
        {
            options.TotalRequestTimeout.Timeout = settings.Timeout;
            options.AttemptTimeout.Timeout = settings.Timeout / 2;
            options.Retry.Delay = TimeSpan.FromMilliseconds(150);
            options.Retry.ShouldHandle = arguments =>
                ValueTask.FromResult(arguments.Context.GetRequestMessage() is { } request && IsRetryable(request, arguments.Outcome));
            // The default is 0.1. When one request in ten fails, retries are enough.
            options.CircuitBreaker.FailureRatio = 0.5;
            // The sampling duration must be at least twice the time limit of an attempt, which is at most 30 seconds.
            options.CircuitBreaker.SamplingDuration = TimeSpan.FromMinutes(1);
        });
        // This handler is inside the resilience handler. So the time limits and retries cover the complete response and
        // not only the headers.
        client.AddHttpMessageHandler(() => new BufferedResponses());
    }

    private static bool IsRetryable(HttpRequestMessage request, Outcome<HttpResponseMessage> outcome)
    {
        var isKeyed = request.Headers.Contains("Idempotency-Key");
        return (isKeyed || request.Method == HttpMethod.Get) && outcome.Result?.StatusCode switch
        {
            null => HttpClientResiliencePredicates.IsTransient(outcome),
            // Another request with the same idempotency key is still running.
            HttpStatusCode.Conflict => true,
            // Stripe repeats its response to an idempotency key, even a server error, so a retry would return the same
            // error.
            >= HttpStatusCode.InternalServerError when isKeyed => false,
            _ => HttpClientResiliencePredicates.IsTransient(outcome),
        };
    }

    private sealed class BufferedResponses : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            await response.Content.LoadIntoBufferAsync(MaxResponseBytes, cancellationToken);
            // Stripe's library would write the text of this header to standard error.
            response.Headers.Remove("Stripe-Notice");
            return response;
        }
    }
}
