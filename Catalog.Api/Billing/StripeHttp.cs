using System.Net;
using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace Catalog.Api.Billing;

/// <summary>
/// The connection to Stripe: no redirect is followed, an answer is bounded in size and comes whole, and a question is asked up to four times within
/// DATAXPIPE_STRIPE_TIMEOUT, each time for half of it at most. While half of all questions of a minute fail, none is asked for five seconds.
/// </summary>
internal static class StripeHttp
{
    public const string Name = "stripe";
    private const int LongestAnswer = 4 * 1024 * 1024;

    public static void AddStripeHttp(this IServiceCollection services, StripeSettings settings)
    {
        // Without the factory's log of each request: what fails is logged where it was asked.
        var client = services.AddHttpClient(Name).RemoveAllLoggers()
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                ActivityHeadersPropagator = null,
                ConnectTimeout = TimeSpan.FromSeconds(5),
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            })
            // Kept for as long as the service runs; the lifetime of connections above follows changes of names.
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        client.AddStandardResilienceHandler(options =>
        {
            options.TotalRequestTimeout.Timeout = settings.Timeout;
            options.AttemptTimeout.Timeout = settings.Timeout / 2;
            options.Retry.Delay = TimeSpan.FromMilliseconds(150);
            options.Retry.ShouldHandle = arguments =>
                ValueTask.FromResult(arguments.Context.GetRequestMessage() is { } request && MayBeAskedAgain(request, arguments.Outcome));
            // One failure in ten, the handler's own choice, is overcome by asking again.
            options.CircuitBreaker.FailureRatio = 0.5;
            // At least twice an attempt's timeout, whose most is half a minute.
            options.CircuitBreaker.SamplingDuration = TimeSpan.FromMinutes(1);
        });
        // Inside of the above, so that its timeouts and attempts hold for the whole answer: by itself it waits for the headers only.
        client.AddHttpMessageHandler(() => new WholeAnswers());
    }

    private static bool MayBeAskedAgain(HttpRequestMessage request, Outcome<HttpResponseMessage> outcome)
    {
        var isKeyed = request.Headers.Contains("Idempotency-Key");
        return (isKeyed || request.Method == HttpMethod.Get) && outcome.Result?.StatusCode switch
        {
            null => HttpClientResiliencePredicates.IsTransient(outcome),
            // Another request with the same key is still being answered.
            HttpStatusCode.Conflict => true,
            // A key's answer is kept, a failure of Stripe's own too: the same question would only hear it again.
            >= HttpStatusCode.InternalServerError when isKeyed => false,
            _ => HttpClientResiliencePredicates.IsTransient(outcome),
        };
    }

    private sealed class WholeAnswers : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = await base.SendAsync(request, cancellationToken);
            await answer.Content.LoadIntoBufferAsync(LongestAnswer, cancellationToken);
            // Stripe's library would write its text to the service's standard error.
            answer.Headers.Remove("Stripe-Notice");
            return answer;
        }
    }
}
